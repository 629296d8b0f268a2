import Glibc

/// What of mapped files is in the process's memory.
package enum MappedMemory {
    /// Bytes of all mapped files, programs and libraries included; 0 when the system does not tell.
    ///
    /// A few microseconds.  Any thread.
    package static func residentByteCount() -> Int {
        let descriptor = open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return 0 }
        defer { close(descriptor) }
        // SAFETY: at most `count` bytes are read into the buffer, and only those are looked at.
        return withUnsafeTemporaryAllocation(byteCount: 128, alignment: 1) { buffer in
            let count = max(0, read(descriptor, buffer.baseAddress, buffer.count))
            // Sizes in pages: of all, in memory, of those mapped from files.
            let fields = buffer.prefix(count).split(separator: UInt8(ascii: " "))
            guard fields.count > 2 else { return 0 }
            let pages = fields[2].reduce(0) { $0 * 10 + Int($1) - 48 }
            return pages * Int(getpagesize())
        }
    }
}
