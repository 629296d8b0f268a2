import Glibc

extension LinuxThreads {
    /// Lets the calling thread sleep.
    ///
    /// For programs that watch others, never for task threads.
    package static func sleep(milliseconds: Int) {
        usleep(UInt32(clamping: milliseconds * 1000))
    }
}
