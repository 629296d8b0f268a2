/// Reads values back from bytes.
///
/// It is lent to `init(from:)`, and not made by operators.
public struct StateDecoder: ~Copyable {
    @usableFromInline var rest: Bytes

    // SAFETY: the bytes are the host's, and valid for longer than the decoder exists: it is
    // made, used and dropped between two calls of the host.
    @inlinable
    init(_ bytes: Bytes) {
        rest = bytes
    }

    /// Whether all bytes have been read.
    @inlinable
    public var isAtEnd: Bool { rest.isEmpty }

    /// Reads a whole value, with nothing behind it.
    @inlinable
    package static func value<Value: StateCodable>(
        _ type: Value.Type,
        of bytes: Bytes,
        _ name: StaticString
    ) throws -> Value {
        var decoder = StateDecoder(bytes)
        let value = try Value(from: &decoder)
        guard decoder.isAtEnd else { throw tooLong(name, decoder.rest.count, bytes.count) }
        return value
    }

    @usableFromInline
    static func tooLong(_ name: StaticString, _ rest: Int, _ count: Int) -> OperatorError {
        OperatorError(
            "state '\(name)': \(rest) of \(count) bytes are left over; the type has changed, or "
                + "reads less than it writes"
        )
    }

    @usableFromInline
    static func truncated(_ needed: Int, _ count: Int) -> OperatorError {
        OperatorError(
            "stored bytes end early: \(needed) more are needed, \(count) are left; the type has "
                + "changed, or reads more than it writes"
        )
    }

    /// Reads a value.
    @inlinable
    public mutating func decode<Value: StateCodable>(
        _ type: Value.Type = Value.self
    ) throws -> Value {
        try Value(from: &self)
    }

    /// Reads so many bytes; the view is valid as long as `init(from:)` runs.
    @inlinable
    public mutating func take(_ count: Int) throws -> Bytes {
        guard count >= 0, count <= rest.count else { throw Self.truncated(count, rest.count) }
        let taken = Bytes(start: rest.start, count: count)
        rest = Bytes(start: rest.start + count, count: rest.count - count)
        return taken
    }

    /// Reads all that is left; the view is valid as long as `init(from:)` runs.
    @inlinable
    public mutating func takeRest() -> Bytes {
        let taken = rest
        rest = .empty
        return taken
    }

    @inlinable
    mutating func takeBits<Bits: FixedWidthInteger & UnsignedInteger>(
        _ type: Bits.Type
    ) throws -> Bits {
        let bytes = try take(MemoryLayout<Bits>.size)
        return Bits(bigEndian: bytes.start.loadUnaligned(as: Bits.self))
    }

    /// Reads what `append(delimited:)` wrote.
    @usableFromInline
    mutating func takeDelimited() throws -> [UInt8] {
        var result: [UInt8] = []
        while let zero = rest.firstIndex(of: 0) {
            result.append(contentsOf: try take(zero))
            let mark = try take(2)
            switch mark[1] {
            case 0: return result
            case 255: result.append(0)
            default: throw OperatorError("stored bytes are no text: 0 \(mark[1])")
            }
        }
        throw Self.truncated(2, rest.count)
    }

    /// Reads a byte that is 0 or 1.
    @inlinable
    mutating func takeFlag() throws -> Bool {
        let byte = try take(1)[0]
        guard byte <= 1 else { throw OperatorError("a stored truth value is \(byte)") }
        return byte == 1
    }
}
