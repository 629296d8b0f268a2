import ApusCore
import CApusShims

/// XXH3-128 (seed 0) of bytes that come piece by piece, as `xxh128sum` prints it.
///
/// One thread at a time.
final class ContentDigest {
    // SAFETY: made by the library, freed with this object and by nobody else.
    private let stream: OpaquePointer
    /// How many bytes there were so far.
    private(set) var byteCount = 0

    init() {
        guard let stream = apus_hash128_begin() else {
            preconditionFailure("the system has memory for 600 bytes")
        }
        self.stream = stream
    }

    deinit { apus_hash128_end(stream) }

    /// Adds bytes.
    func add(_ bytes: [UInt8]) {
        // SAFETY: the library reads so many bytes of the array during the call.
        bytes.withUnsafeBytes { apus_hash128_add(stream, $0.baseAddress, $0.count) }
        byteCount += bytes.count
    }

    /// The hash of what was added so far, the most significant byte first.
    var bytes: [UInt8] {
        let hash = apus_hash128_value(stream)
        return BigEndian.bytes(hash.high) + BigEndian.bytes(hash.low)
    }

    /// The same in 32 hexadecimal digits.
    var digits: String { ByteText.hexadecimal(bytes) }

    /// The hash of an array in 32 hexadecimal digits.
    static func digits(of bytes: [UInt8]) -> String {
        let digest = ContentDigest()
        digest.add(bytes)
        return digest.digits
    }
}

/// Integers with the most significant byte first.
enum BigEndian {
    /// The bytes of an integer.
    static func bytes<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
        stride(from: Value.bitWidth - 8, through: 0, by: -8).map {
            UInt8(truncatingIfNeeded: value >> $0)
        }
    }

    /// The integer that bytes stand for.
    static func integer<Value: FixedWidthInteger>(
        _ bytes: some Sequence<UInt8>,
        as type: Value.Type = Value.self
    ) -> Value {
        bytes.reduce(0) { $0 << 8 | Value(truncatingIfNeeded: $1) }
    }
}
