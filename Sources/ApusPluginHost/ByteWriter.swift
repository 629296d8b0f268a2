import CApusPlugin

/// An `apus_writer` that collects bytes up to a limit.
final class ByteWriter {
    /// What a plugin is given; valid as long as this object.
    let pointer: UnsafeMutablePointer<apus_writer>

    /// What was written so far.
    private(set) var bytes: [UInt8] = []
    /// Whether a write was refused because it passed the limit.
    private(set) var isOverLimit = false
    private let byteCountMax: Int

    /// Creates an empty writer for at most so many bytes.
    init(byteCountMax: Int) {
        self.byteCountMax = byteCountMax
        // SAFETY: freed in deinit; the plugin has it during a call alone.
        pointer = .allocate(capacity: 1)
        pointer.initialize(to: apus_writer())
        pointer.pointee.size = UInt32(MemoryLayout<apus_writer>.size)
        pointer.pointee.write = { writer, bytes, length in
            guard let writer, let host = writer.pointee.host_private else { return APUS_FATAL }
            // SAFETY: host_private is the object that owns the struct, set below.
            return Unmanaged<ByteWriter>.fromOpaque(host).takeUnretainedValue()
                .write(bytes, length)
        }
        pointer.pointee.host_private = Unmanaged.passUnretained(self).toOpaque()
    }

    deinit { pointer.deallocate() }

    /// Forgets what was written.
    func reset() {
        bytes.removeAll(keepingCapacity: true)
        isOverLimit = false
    }

    private func write(_ start: UnsafeRawPointer?, _ length: UInt64) -> Int32 {
        guard length > 0 else { return APUS_OK }
        guard let start else { return APUS_UNSUPPORTED }
        guard length <= UInt64(byteCountMax - bytes.count) else {
            isOverLimit = true
            return APUS_LIMIT
        }
        // SAFETY: the plugin promises so many readable bytes, for the time of the call.
        bytes.append(contentsOf: UnsafeRawBufferPointer(start: start, count: Int(length)))
        return APUS_OK
    }
}
