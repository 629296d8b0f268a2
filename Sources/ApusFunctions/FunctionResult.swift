import ApusGraph
import CApusFunctions
import CApusJSON

/// What one call has returned, or written.
struct FunctionResult {
    /// Where a number is.
    let address: UnsafeRawPointer
    /// A string's bytes; nil for a number, and for NULL.
    let text: UnsafeRawBufferPointer?

    /// The string; empty when it is none.
    var string: UnsafeRawBufferPointer {
        text ?? UnsafeRawBufferPointer(start: nil, count: 0)
    }

    /// Whether it is something that JSON has no word for.
    func isNothing(_ output: FunctionSignature.Output) -> Bool {
        switch output {
        case .string: text == nil
        // SAFETY: here and below the address has a value of the type, which the call has written.
        case .number(.f64): !address.loadUnaligned(as: Double.self).isFinite
        case .number(.f32): !address.loadUnaligned(as: Float.self).isFinite
        case .number: false
        }
    }

    /// What it is then: `NaN`, an infinity or `NULL`.
    func nothingInWords(_ output: FunctionSignature.Output) -> String {
        let number: Double
        switch output {
        case .number(.f64): number = address.loadUnaligned(as: Double.self)
        case .number(.f32): number = Double(address.loadUnaligned(as: Float.self))
        case .number, .string: return "NULL"
        }
        if number.isNaN { return "NaN" }
        return number < 0 ? "-infinity" : "infinity"
    }

    /// Whether it lets a record pass: not zero, and not NaN.
    func isTrue(_ type: FunctionSignature.Number) -> Bool {
        switch type {
        case .i8, .u8, .bool: address.loadUnaligned(as: UInt8.self) != 0
        case .i16, .u16: address.loadUnaligned(as: UInt16.self) != 0
        case .i32, .u32: address.loadUnaligned(as: UInt32.self) != 0
        case .i64, .u64: address.loadUnaligned(as: UInt64.self) != 0
        case .f32: isTrue(address.loadUnaligned(as: Float.self))
        case .f64: isTrue(address.loadUnaligned(as: Double.self))
        }
    }

    private func isTrue(_ number: some BinaryFloatingPoint) -> Bool {
        !number.isNaN && number != 0
    }

    /// Writes a number as JSON has it.
    ///
    /// - Parameters:
    ///   - type: What it is; finite.
    ///   - target: Has room for 32 bytes.
    /// - Returns: How many bytes it takes.
    func write(_ type: FunctionSignature.Number, to target: UnsafeMutablePointer<UInt8>) -> Int {
        switch type {
        case .i8: Self.write(address.loadUnaligned(as: Int8.self), target)
        case .i16: Self.write(address.loadUnaligned(as: Int16.self), target)
        case .i32: Self.write(address.loadUnaligned(as: Int32.self), target)
        case .i64: Self.write(address.loadUnaligned(as: Int64.self), target)
        case .u8: Self.write(address.loadUnaligned(as: UInt8.self), target)
        case .u16: Self.write(address.loadUnaligned(as: UInt16.self), target)
        case .u32: Self.write(address.loadUnaligned(as: UInt32.self), target)
        case .u64: Self.write(address.loadUnaligned(as: UInt64.self), target)
        case .f32: apus_json_write_float(address.loadUnaligned(as: Float.self), target)
        case .f64: apus_json_write_double(address.loadUnaligned(as: Double.self), target)
        case .bool: Self.write(address.loadUnaligned(as: UInt8.self) != 0, target)
        }
    }

    private static func write(_ isTrue: Bool, _ target: UnsafeMutablePointer<UInt8>) -> Int {
        let word: StaticString = isTrue ? "true" : "false"
        target.update(from: word.utf8Start, count: word.utf8CodeUnitCount)
        return word.utf8CodeUnitCount
    }

    private static func write(
        _ number: some FixedWidthInteger,
        _ target: UnsafeMutablePointer<UInt8>
    ) -> Int {
        // SAFETY: 20 digits and a sign at most.
        var rest = UInt64(number.magnitude)
        var end = 24
        repeat {
            end -= 1
            target[end] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        } while rest > 0
        if number < 0 {
            end -= 1
            target[end] = UInt8(ascii: "-")
        }
        let count = 24 - end
        for index in 0..<count { target[index] = target[end + index] }
        return count
    }
}
