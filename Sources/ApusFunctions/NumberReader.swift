import ApusGraph
import CApusJSON

/// Reads numbers of a text into memory, as C has them.
///
/// What does not fit is a problem and never wraps around.
enum NumberReader {
    /// Reads the whole text as a number of a type.
    ///
    /// - Parameters:
    ///   - text: Digits, perhaps with a sign, a fraction, an exponent.
    ///   - type: What C expects.
    ///   - target: Where it is put; as large and as aligned as the type.
    /// - Throws: ``ArgumentProblem``; nothing is written then.
    static func read(
        _ text: UnsafeRawBufferPointer,
        _ type: FunctionSignature.Number,
        to target: UnsafeMutableRawPointer
    ) throws(ArgumentProblem) {
        switch type {
        case .i8: try store(Int8.self, text, target)
        case .i16: try store(Int16.self, text, target)
        case .i32: try store(Int32.self, text, target)
        case .i64: try store(Int64.self, text, target)
        case .u8: try store(UInt8.self, text, target)
        case .u16: try store(UInt16.self, text, target)
        case .u32: try store(UInt32.self, text, target)
        case .u64: try store(UInt64.self, text, target)
        case .f64:
            // SAFETY: here and below the caller has made room for a value of the type.
            target.storeBytes(of: try double(text), as: Double.self)
        case .f32:
            let number = try double(text)
            let narrow = Float(number)
            guard narrow.isFinite else { throw .outOfRange(shown(text)) }
            target.storeBytes(of: narrow, as: Float.self)
        case .bool:
            try storeTruth(text, target)
        }
    }

    private static func storeTruth(
        _ text: UnsafeRawBufferPointer,
        _ target: UnsafeMutableRawPointer
    ) throws(ArgumentProblem) {
        if text.elementsEqual("true".utf8) {
            target.storeBytes(of: 1, as: UInt8.self)
        } else if text.elementsEqual("false".utf8) {
            target.storeBytes(of: 0, as: UInt8.self)
        } else {
            throw .notTruth(shown(text))
        }
    }

    @inline(__always)
    private static func store<Integer: FixedWidthInteger>(
        _ type: Integer.Type,
        _ text: UnsafeRawBufferPointer,
        _ target: UnsafeMutableRawPointer
    ) throws(ArgumentProblem) {
        guard let (isNegative, magnitude) = try integer(text) else {
            throw .outOfRange(shown(text))
        }
        let value =
            isNegative
            ? Integer(exactly: 0 - Int128(magnitude)) : Integer(exactly: magnitude)
        guard let value else { throw .outOfRange(shown(text)) }
        target.storeBytes(of: value, as: Integer.self)
    }

    /// Sign and magnitude; nil when it has more than 64 bits.
    private static func integer(
        _ text: UnsafeRawBufferPointer
    ) throws(ArgumentProblem) -> (isNegative: Bool, magnitude: UInt64)? {
        var index = 0
        let isNegative = text.first == UInt8(ascii: "-")
        if isNegative { index = 1 }
        guard index < text.count else { throw .notNumber(shown(text)) }
        var magnitude: UInt64 = 0
        while index < text.count {
            let digit = text[index] &- UInt8(ascii: "0")
            guard digit <= 9 else { return try integral(text) }
            let (product, hasOverflowed) = magnitude.multipliedReportingOverflow(by: 10)
            let (sum, hasCarried) = product.addingReportingOverflow(UInt64(digit))
            if hasOverflowed || hasCarried {
                // Perhaps not even a number.
                _ = try double(text)
                return nil
            }
            magnitude = sum
            index += 1
        }
        return (isNegative, magnitude)
    }

    /// A number such as `3.0` or `1e3`, when it is a whole one.
    private static func integral(
        _ text: UnsafeRawBufferPointer
    ) throws(ArgumentProblem) -> (isNegative: Bool, magnitude: UInt64)? {
        let number = try double(text)
        guard number.rounded(.towardZero) == number else { throw .fraction(shown(text)) }
        // Beyond 2^53 a double stands for several whole numbers.
        guard number.magnitude <= 9_007_199_254_740_992 else { return nil }
        return (number < 0, UInt64(number.magnitude))
    }

    private static func double(_ text: UnsafeRawBufferPointer) throws(ArgumentProblem) -> Double {
        var number = 0.0
        // SAFETY: reads `count` bytes from the start.
        let start = text.assumingMemoryBound(to: UInt8.self).baseAddress
        guard apus_json_read_double(start, text.count, &number), number.isFinite else {
            throw .notNumber(shown(text))
        }
        return number
    }

    /// The text for a message, in quotes unless it looks like a number.
    static func shown(_ text: UnsafeRawBufferPointer) -> String {
        let isPlain = text.allSatisfy { byte in
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || "+-.eE".utf8.contains(byte)
        }
        let cut = text.count > 40
        let start = String(decoding: text.prefix(40), as: UTF8.self) + (cut ? "..." : "")
        return isPlain && !text.isEmpty ? start : "'\(start)'"
    }
}
