public import CApusPlugin

// The aggregates of the SDK.  Their accumulators, overflow, rounding and NaN are those of
// sdk/c/include/apus/aggregate.h, which does the work; so an operator may be rewritten in the
// other language and keep its state.

/// An accumulator of the C header, with its bytes as they are in memory.
///
/// Not constrained to `BitwiseCopyable`, because the compiler loses such conformances of C structs
/// from one module to the next.
public struct InPlace<Content>: StateCodable {
    @usableFromInline var content: Content

    @inlinable
    init(_ content: Content) {
        self.content = content
    }

    /// The size of the struct.
    @inlinable
    public static var fixedByteCount: Int? { MemoryLayout<Content>.size }

    /// Reads an accumulator back.
    @inlinable
    public init(from decoder: inout StateDecoder) throws {
        let bytes = try decoder.take(MemoryLayout<Content>.size)
        // SAFETY: as many bytes were taken as the struct has, and any bits are a value of it: the
        // SDK alone makes these, of structs of numbers.
        content = withUnsafeTemporaryAllocation(of: Content.self, capacity: 1) { memory in
            UnsafeMutableRawBufferPointer(memory).copyMemory(from: bytes.buffer)
            return memory[0]
        }
    }

    /// Appends the bytes of the accumulator.
    @inlinable
    public func encode(into encoder: inout StateEncoder) {
        withUnsafeBytes(of: content) { encoder.append(Bytes($0)) }
    }
}

/// How many records there were.
public enum Count: Aggregate {
    /// What the bytes mean.
    public static var schema: StaticString { "aggregate count: u64 count" }
    /// Zero.
    @inlinable
    public static var empty: InPlace<apus_count> { InPlace(apus_count()) }
    /// Counts a record.
    @inlinable
    public static func add(_ input: Void, to accumulator: inout InPlace<apus_count>) {
        apus_count_fold(&accumulator.content)
    }
    /// The number.
    @inlinable
    public static func result(of accumulator: InPlace<apus_count>) -> UInt64 {
        accumulator.content.count
    }
}

/// A sum of integers; kept in 128 bits, so that only a result can be too large.
public enum IntegerSum: Aggregate {
    /// What the bytes mean.
    public static var schema: StaticString { "aggregate sum of i64: u64 low, i64 high" }
    /// Zero.
    @inlinable
    public static var empty: InPlace<apus_sum_i64> { InPlace(apus_sum_i64()) }
    /// Adds a number.
    @inlinable
    public static func add(_ input: Int64, to accumulator: inout InPlace<apus_sum_i64>) {
        apus_sum_i64_fold(&accumulator.content, input)
    }
    /// The sum.
    ///
    /// - Throws: ``OperatorError`` when it does not fit in 64 bits.
    @inlinable
    public static func result(of accumulator: InPlace<apus_sum_i64>) throws -> Int64 {
        var (content, sum) = (accumulator.content, Int64(0))
        guard apus_sum_i64_result(&content, &sum) == APUS_OK else {
            throw OperatorError("a sum is beyond 64 bits")
        }
        return sum
    }
}

/// A sum of doubles, compensated for rounding.
public enum DoubleSum: Aggregate {
    /// What the bytes mean.
    public static var schema: StaticString { "aggregate sum of f64: f64 sum, f64 compensation" }
    /// Zero.
    @inlinable
    public static var empty: InPlace<apus_sum_f64> { InPlace(apus_sum_f64()) }
    /// Adds a number.
    @inlinable
    public static func add(_ input: Double, to accumulator: inout InPlace<apus_sum_f64>) {
        apus_sum_f64_fold(&accumulator.content, input)
    }
    /// The sum.
    @inlinable
    public static func result(of accumulator: InPlace<apus_sum_f64>) -> Double {
        var (content, sum) = (accumulator.content, 0.0)
        _ = apus_sum_f64_result(&content, &sum)
        return sum
    }
}

/// The smallest of integers.
public enum IntegerMinimum: Aggregate {
    /// What the bytes mean.
    public static var schema: StaticString { "aggregate minimum of i64: u64 count, i64 value" }
    /// None.
    @inlinable
    public static var empty: InPlace<apus_extreme_i64> { InPlace(apus_extreme_i64()) }
    /// Takes a number into account.
    @inlinable
    public static func add(_ input: Int64, to accumulator: inout InPlace<apus_extreme_i64>) {
        apus_minimum_i64_fold(&accumulator.content, input)
    }
    /// The smallest number.
    @inlinable
    public static func result(of accumulator: InPlace<apus_extreme_i64>) -> Int64 {
        accumulator.content.value
    }
}

/// The largest of integers.
public enum IntegerMaximum: Aggregate {
    /// What the bytes mean.
    public static var schema: StaticString { "aggregate maximum of i64: u64 count, i64 value" }
    /// None.
    @inlinable
    public static var empty: InPlace<apus_extreme_i64> { InPlace(apus_extreme_i64()) }
    /// Takes a number into account.
    @inlinable
    public static func add(_ input: Int64, to accumulator: inout InPlace<apus_extreme_i64>) {
        apus_maximum_i64_fold(&accumulator.content, input)
    }
    /// The largest number.
    @inlinable
    public static func result(of accumulator: InPlace<apus_extreme_i64>) -> Int64 {
        accumulator.content.value
    }
}

/// The smallest of doubles; NaN when one of them is.
public enum DoubleMinimum: Aggregate {
    /// What the bytes mean.
    public static var schema: StaticString { "aggregate minimum of f64: u64 count, f64 value" }
    /// None.
    @inlinable
    public static var empty: InPlace<apus_extreme_f64> { InPlace(apus_extreme_f64()) }
    /// Takes a number into account.
    @inlinable
    public static func add(_ input: Double, to accumulator: inout InPlace<apus_extreme_f64>) {
        apus_minimum_f64_fold(&accumulator.content, input)
    }
    /// The smallest number.
    @inlinable
    public static func result(of accumulator: InPlace<apus_extreme_f64>) -> Double {
        accumulator.content.value
    }
}

/// The largest of doubles; NaN when one of them is.
public enum DoubleMaximum: Aggregate {
    /// What the bytes mean.
    public static var schema: StaticString { "aggregate maximum of f64: u64 count, f64 value" }
    /// None.
    @inlinable
    public static var empty: InPlace<apus_extreme_f64> { InPlace(apus_extreme_f64()) }
    /// Takes a number into account.
    @inlinable
    public static func add(_ input: Double, to accumulator: inout InPlace<apus_extreme_f64>) {
        apus_maximum_f64_fold(&accumulator.content, input)
    }
    /// The largest number.
    @inlinable
    public static func result(of accumulator: InPlace<apus_extreme_f64>) -> Double {
        accumulator.content.value
    }
}

/// The mean of integers, from their exact sum.
public enum IntegerAverage: Aggregate {
    /// What the bytes mean.
    public static var schema: StaticString {
        "aggregate average of i64: u64 count, u64 low, i64 high"
    }
    /// None.
    @inlinable
    public static var empty: InPlace<apus_average_i64> { InPlace(apus_average_i64()) }
    /// Takes a number into account.
    @inlinable
    public static func add(_ input: Int64, to accumulator: inout InPlace<apus_average_i64>) {
        apus_average_i64_fold(&accumulator.content, input)
    }
    /// The mean.
    @inlinable
    public static func result(of accumulator: InPlace<apus_average_i64>) -> Double {
        var (content, mean) = (accumulator.content, 0.0)
        _ = apus_average_i64_result(&content, &mean)
        return mean
    }
}

/// The mean of doubles, from their compensated sum.
public enum DoubleAverage: Aggregate {
    /// What the bytes mean.
    public static var schema: StaticString {
        "aggregate average of f64: u64 count, f64 sum, f64 compensation"
    }
    /// None.
    @inlinable
    public static var empty: InPlace<apus_average_f64> { InPlace(apus_average_f64()) }
    /// Takes a number into account.
    @inlinable
    public static func add(_ input: Double, to accumulator: inout InPlace<apus_average_f64>) {
        apus_average_f64_fold(&accumulator.content, input)
    }
    /// The mean.
    @inlinable
    public static func result(of accumulator: InPlace<apus_average_f64>) -> Double {
        var (content, mean) = (accumulator.content, 0.0)
        _ = apus_average_f64_result(&content, &mean)
        return mean
    }
}
