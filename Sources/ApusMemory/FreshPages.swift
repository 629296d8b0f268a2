/// Memory that nobody has written yet.
///
/// The system finds a page when it is first written.  A large one takes 0.2 ms, and 4 ms and more
/// where the machine is a virtual one whose host has to find it as well: far too long for a task
/// thread.  So whoever knows ahead what will be needed has another thread write it first.
package enum FreshPages {
    private static let pageByteCount = 4096

    /// Writes a zero into each page of memory that is zeroed and in nobody's use.
    ///
    /// - Parameters:
    ///   - memory: Where it begins.
    ///   - byteCount: Its size.
    ///   - isEnough: Asked once in 2 MiB whether to stop.
    package static func touch(
        _ memory: UnsafeMutableRawPointer,
        _ byteCount: Int,
        until isEnough: () -> Bool
    ) {
        var offset = 0
        while offset < byteCount {
            if offset % LargePages.byteCount == 0, isEnough() { return }
            // SAFETY: the caller owns these bytes.
            (memory + offset).storeBytes(of: 0, as: UInt8.self)
            offset += pageByteCount
        }
    }
}
