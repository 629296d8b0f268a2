/// Collects the bytes of values.
///
/// It owns memory that grows as needed and is reused, so that encoding allocates nothing in the
/// long run.  It is lent to `encode(into:)`, and not made by operators.
public struct StateEncoder {
    @usableFromInline var memory: UnsafeMutableRawPointer?
    @usableFromInline var capacity = 0

    /// How many bytes there are.
    @usableFromInline var count = 0

    @usableFromInline
    init() {}

    // SAFETY: `memory` has room for `capacity` bytes, of which `count` are written; `reserve`
    // alone changes it; the frame that owns the encoder calls `free` at its end.
    @usableFromInline
    func free() {
        memory?.deallocate()
    }

    @inlinable var bytes: Bytes { Bytes(start: memory, count: count) }

    /// Forgets the bytes, and takes those of a value.
    @inlinable
    mutating func replace(with value: some StateCodable) {
        count = 0
        value.encode(into: &self)
    }

    @inlinable
    mutating func reserve(_ byteCount: Int) -> UnsafeMutableRawPointer {
        if let memory, byteCount <= capacity - count { return memory }
        return grow(byteCount)
    }

    @usableFromInline
    mutating func grow(_ byteCount: Int) -> UnsafeMutableRawPointer {
        capacity = max(capacity * 2, count + byteCount, 64)
        let grown = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 8)
        if let memory {
            grown.copyMemory(from: memory, byteCount: count)
            memory.deallocate()
        }
        memory = grown
        return grown
    }

    /// Appends a value's bytes.
    @inlinable
    public mutating func encode(_ value: some StateCodable) {
        value.encode(into: &self)
    }

    /// Appends a byte.
    @inlinable
    public mutating func append(_ byte: UInt8) {
        reserve(1).storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
        count &+= 1
    }

    /// Appends bytes as they are: without a length, they can only be read back as the rest.
    @inlinable
    public mutating func append(_ bytes: Bytes) {
        guard bytes.count > 0 else { return }
        (reserve(bytes.count) + count).copyMemory(from: bytes.start, byteCount: bytes.count)
        count &+= bytes.count
    }

    /// Appends an integer, most significant byte first, as it is in memory otherwise.
    @inlinable
    mutating func append(bits: some FixedWidthInteger & UnsignedInteger) {
        let byteCount = MemoryLayout.size(ofValue: bits)
        (reserve(byteCount) + count).storeBytes(of: bits.bigEndian, as: type(of: bits))
        count &+= byteCount
    }

    /// Appends bytes such that their end can be found and their order is kept: 0 becomes 0 255,
    /// and 0 0 comes last.
    @inlinable
    mutating func append(delimited bytes: Bytes) {
        var rest = bytes
        while let zero = rest.firstIndex(of: 0) {
            append(rest[0..<zero])
            append(0)
            append(255)
            rest = rest[(zero + 1)..<rest.count]
        }
        append(rest)
        append(0)
        append(0)
    }

    /// The sum of the types' byte counts; nil when one of them has no fixed one.
    public static func byteCount<each Field: StateCodable>(
        _ types: repeat (each Field).Type
    ) -> Int? {
        var sum = 0
        for type in repeat each types {
            guard let byteCount = type.fixedByteCount else { return nil }
            sum += byteCount
        }
        return sum
    }
}
