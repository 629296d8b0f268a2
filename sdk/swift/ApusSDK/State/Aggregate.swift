/// A rule by which the records of a key are combined into one result, such as a sum.
///
/// What is kept per key is an accumulator of a fixed number of bytes, which is folded where the
/// host keeps it.  The SDK has ``Count``, ``IntegerSum``, ``DoubleSum``, ``IntegerMinimum``,
/// ``IntegerMaximum``, ``DoubleMinimum``, ``DoubleMaximum``, ``IntegerAverage`` and
/// ``DoubleAverage``; an aggregate of one's own looks like this:
///
/// ```swift
/// enum Spread: Aggregate {
///     struct Accumulator: StateCodable {
///         var least = Int64.max
///         var most = Int64.min
///
///         static let fixedByteCount = StateEncoder.byteCount(Int64.self, Int64.self)
///         init() {}
///         init(from decoder: inout StateDecoder) throws {
///             least = try decoder.decode()
///             most = try decoder.decode()
///         }
///         func encode(into encoder: inout StateEncoder) {
///             encoder.encode(least)
///             encoder.encode(most)
///         }
///     }
///
///     static var empty: Accumulator { Accumulator() }
///     static func add(_ input: Int64, to accumulator: inout Accumulator) {
///         accumulator.least = min(accumulator.least, input)
///         accumulator.most = max(accumulator.most, input)
///     }
///     static func result(of accumulator: Accumulator) -> Int64 {
///         accumulator.most - accumulator.least
///     }
/// }
/// ```
public protocol Aggregate {
    /// What is folded in.
    associatedtype Input

    /// What comes out.
    associatedtype Result

    /// What is kept per key; it must have a `fixedByteCount`.
    associatedtype Accumulator: StateCodable

    /// What the accumulator's bytes mean, for people; it is kept in checkpoints.
    static var schema: StaticString { get }

    /// The accumulator into which nothing was folded yet.
    static var empty: Accumulator { get }

    /// Folds an input in.
    ///
    /// - Throws: What the handler is to throw; the accumulator is kept as it was.
    static func add(_ input: Input, to accumulator: inout Accumulator) throws

    /// What the inputs so far come to.
    ///
    /// - Throws: What the handler is to throw, when there is no result.
    static func result(of accumulator: Accumulator) throws -> Result
}

extension Aggregate {
    /// Nothing.
    @inlinable
    public static var schema: StaticString { "" }
}
