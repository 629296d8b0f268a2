import ApusCore
import Glibc

/// A pipe that a child process writes to, and what has come out of it.
final class ChildOutput {
    /// What was read, at most as much as was asked for.
    private(set) var bytes: [UInt8] = []

    /// The end for the child.
    private(set) var writer: Int32

    private var reader: Int32
    private let byteCountMax: Int

    /// Makes a pipe.
    ///
    /// - Parameter byteCountMax: How much is kept; the rest is read and dropped.
    /// - Throws: ``ProcessError`` when there are no more descriptors.
    init(byteCountMax: Int) throws(ProcessError) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else {
            throw ProcessError("cannot make a pipe: \(DiskError.text(of: errno))")
        }
        reader = ends[0]
        writer = ends[1]
        self.byteCountMax = byteCountMax
        _ = fcntl(reader, F_SETFD, FD_CLOEXEC)
        _ = fcntl(writer, F_SETFD, FD_CLOEXEC)
        _ = fcntl(reader, F_SETFL, O_NONBLOCK)
    }

    deinit {
        closeWriter()
        closeReader()
    }

    /// Closes our copy of the child's end, so that the pipe ends with the child.
    func closeWriter() {
        if writer >= 0 { close(writer) }
        writer = -1
    }

    private func closeReader() {
        if reader >= 0 { close(reader) }
        reader = -1
    }

    /// Reads what is in the pipe now, but not for ever when somebody keeps filling it.
    func readWhatIsThere() {
        guard reader >= 0 else { return }
        var piece = [UInt8](repeating: 0, count: 65_536)
        for _ in 0..<64 {
            let count = read(reader, &piece, piece.count)
            if count > 0 {
                bytes.append(contentsOf: piece.prefix(min(count, byteCountMax - bytes.count)))
            } else if count == 0 {
                return closeReader()
            } else if errno != EINTR {
                // Mostly EAGAIN: nothing more for now.
                return
            }
        }
    }

    /// Waits until one of the pipes has something, or has ended.
    ///
    /// - Returns: Whether one has; false when the time is up, or all have ended before.
    static func waitForAny(_ outputs: [ChildOutput], milliseconds: Int32) -> Bool {
        // The kernel skips descriptors below 0 and so only sleeps when all have ended.
        var requests = outputs.map { pollfd(fd: $0.reader, events: Int16(POLLIN), revents: 0) }
        return poll(&requests, nfds_t(requests.count), milliseconds) > 0
    }
}
