/// Bytes that belong to the host: a record's key or value, a timer's payload.
///
/// **Valid until the callback returns**, that is `process`, `onTimer`, `configure`.  To keep
/// them, make an array or a string of them, or put them in state.  Access is checked against the
/// bounds; the lifetime is not.
public struct Bytes {
    @usableFromInline let start: UnsafeRawPointer
    /// How many.
    public let count: Int

    // SAFETY: whoever creates a view gets start and count from one struct of the host, which
    // keeps the memory until the callback returns; every access below checks the bound.
    /// A view of so many bytes; none when there is no start.
    @inlinable
    package init(start: UnsafeRawPointer?, count: Int) {
        self.start = start ?? UnsafeRawPointer(bitPattern: 1).unsafelyUnwrapped
        self.count = start == nil ? 0 : count
    }

    @inlinable
    init(_ buffer: UnsafeRawBufferPointer) {
        self.init(start: buffer.baseAddress, count: buffer.count)
    }

    @inlinable var buffer: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: start, count: count)
    }

    /// No bytes.
    @inlinable
    public static var empty: Bytes { Bytes(start: nil, count: 0) }

    /// A copy as text; what is not UTF-8 is replaced by U+FFFD.
    @inlinable
    public var text: String {
        String(decoding: buffer, as: UTF8.self)
    }

    /// Calls `body` with the bytes as a span.
    @inlinable
    public func withSpan<Result>(_ body: (RawSpan) throws -> Result) rethrows -> Result {
        try body(buffer.bytes)
    }
}

extension Bytes: RandomAccessCollection {
    /// Zero.
    @inlinable
    public var startIndex: Int { 0 }

    /// The count.
    @inlinable
    public var endIndex: Int { count }

    /// The byte at an index.
    ///
    /// - Precondition: `index` is within the bounds.
    @inlinable
    public subscript(index: Int) -> UInt8 {
        precondition(UInt(bitPattern: index) < UInt(bitPattern: count), "index out of bounds")
        return start.load(fromByteOffset: index, as: UInt8.self)
    }

    /// The bytes of a range, without copying them.
    ///
    /// - Precondition: The range is within the bounds.
    @inlinable
    public subscript(bounds: Range<Int>) -> Bytes {
        precondition(bounds.lowerBound >= 0 && bounds.upperBound <= count, "out of bounds")
        return Bytes(start: start + bounds.lowerBound, count: bounds.count)
    }

    /// Calls `body` with the memory.
    @inlinable
    public func withContiguousStorageIfAvailable<Result>(
        _ body: (UnsafeBufferPointer<UInt8>) throws -> Result
    ) rethrows -> Result? {
        try buffer.withMemoryRebound(to: UInt8.self, body)
    }
}

extension Bytes: Hashable {
    /// Whether both have the same bytes.
    @inlinable
    public static func == (left: Bytes, right: Bytes) -> Bool {
        left.count == right.count && left.buffer.elementsEqual(right.buffer)
    }

    /// Whether the bytes are those of a literal.
    @inlinable
    public static func == (left: Bytes, right: StaticString) -> Bool {
        left.buffer.elementsEqual(
            UnsafeRawBufferPointer(start: right.utf8Start, count: right.utf8CodeUnitCount)
        )
    }

    /// Makes literals work as patterns: `switch record.value { case "stop": ... }`.
    @inlinable
    public static func ~= (pattern: StaticString, bytes: Bytes) -> Bool {
        bytes == pattern
    }

    /// Feeds the bytes to a hasher.
    @inlinable
    public func hash(into hasher: inout Hasher) {
        hasher.combine(bytes: buffer)
    }
}
