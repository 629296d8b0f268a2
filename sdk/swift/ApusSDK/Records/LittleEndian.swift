/// An integer as bytes, least significant first: `context.emit(LittleEndian(count))`.
public struct LittleEndian<Number: FixedWidthInteger & BitwiseCopyable>: ByteSource {
    @usableFromInline let bits: Number

    /// The bytes of a number.
    @inlinable
    public init(_ number: Number) {
        bits = number.littleEndian
    }

    /// Calls `body` with the bytes.
    @inlinable
    public func withBytes<Result>(_ body: (Bytes) throws -> Result) rethrows -> Result {
        // SAFETY: the view is used only within the call that lends the memory.
        try withUnsafeBytes(of: bits) { try body(Bytes($0)) }
    }
}
