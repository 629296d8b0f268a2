import CApusPlugin
import Glibc

/// An `apus_reader` that gives bytes out in portions.
final class ByteReader {
    /// What a plugin is given; valid as long as this object.
    let pointer: UnsafeMutablePointer<apus_reader>

    private let bytes: [UInt8]
    private let portionByteCountMax: Int
    private var offset = 0

    /// Creates a reader of some bytes, at most so many of them at once.
    init(_ bytes: [UInt8], portionByteCountMax: Int = 1 << 20) {
        self.bytes = bytes
        self.portionByteCountMax = portionByteCountMax
        // SAFETY: freed in deinit; the plugin has it during a call alone.
        pointer = .allocate(capacity: 1)
        pointer.initialize(to: apus_reader())
        pointer.pointee.size = UInt32(MemoryLayout<apus_reader>.size)
        pointer.pointee.read = { reader, target, capacity, count in
            guard let reader, let host = reader.pointee.host_private, let count else {
                return APUS_UNSUPPORTED
            }
            // SAFETY: host_private is the object that owns the struct, set below.
            return Unmanaged<ByteReader>.fromOpaque(host).takeUnretainedValue()
                .read(target, capacity, count)
        }
        pointer.pointee.host_private = Unmanaged.passUnretained(self).toOpaque()
    }

    deinit { pointer.deallocate() }

    private func read(
        _ target: UnsafeMutableRawPointer?,
        _ capacity: UInt64,
        _ count: UnsafeMutablePointer<UInt64>
    ) -> Int32 {
        let portion = min(Int(clamping: capacity), bytes.count - offset, portionByteCountMax)
        count.pointee = UInt64(portion)
        guard portion > 0 else { return APUS_OK }
        guard let target else { return APUS_UNSUPPORTED }
        bytes.withUnsafeBytes {
            // SAFETY: `portion` bytes are left, and the plugin promises room for `capacity`.
            if let base = $0.baseAddress { memcpy(target, base + offset, portion) }
        }
        offset += portion
        return APUS_OK
    }
}
