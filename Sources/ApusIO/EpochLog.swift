import ApusCore
import Glibc

/// A file that takes the output of one subtask of a sink in one epoch.
///
/// It has the bytes as they will be delivered and nothing else: how many they are and what hash
/// they have stands in the manifest of the checkpoint, and to deliver is to copy.  Its name is
///
///     <sink>-<subtask>-<20 digits>.log
///
/// where the digits only tell the logs of a subtask apart.  One thread.
final class EpochLog {
    /// Where the file is.
    let path: String
    /// How many bytes it has for sure.
    private(set) var byteCount = 0

    private let file: any WritableFile
    private let disk: any Disk
    /// Whether a part of what was to be appended last may be in the file.
    private var isInDoubt = false

    /// Creates a log that is not there yet: one that is may belong to a checkpoint.
    ///
    /// - Parameters:
    ///   - directory: The folder.
    ///   - sink: The sink's id.
    ///   - subtask: Which subtask of it.
    ///   - number: Which log it is; becomes the number behind the one that was used.
    ///   - disk: Where the folder is.
    /// - Throws: ``DiskError``; nothing is created.
    init(
        in directory: String,
        sink: String,
        subtask: Int,
        number: inout UInt64,
        disk: any Disk
    ) throws(DiskError) {
        while true {
            let path = "\(directory)/\(sink)-\(subtask)-\(number.padded).log"
            do throws(DiskError) {
                file = try disk.create(path)
                self.path = path
                self.disk = disk
                number += 1
                return
            } catch {
                guard error.errorNumber == EEXIST else { throw error }
                number += 1
            }
        }
    }

    /// Appends bytes.
    ///
    /// - Parameter bytes: After a failure they must begin with those of the call that failed; what
    ///   of them is in the file already is not written again.
    /// - Throws: ``DiskError``; a part may be in the file.
    func append(_ bytes: UnsafeRawBufferPointer) throws(DiskError) {
        let written = isInDoubt ? try writtenByteCount(of: bytes.count) : 0
        isInDoubt = true
        // SAFETY: `written` is within the bytes, which are the caller's for the time of the call.
        try file.write(UnsafeRawBufferPointer(rebasing: bytes[written...]))
        isInDoubt = false
        byteCount += bytes.count
    }

    private func writtenByteCount(of count: Int) throws(DiskError) -> Int {
        guard let status = try disk.status(path) else {
            throw DiskError(operation: "write", path: path, reason: "the file has vanished")
        }
        guard (byteCount...byteCount + count).contains(status.byteCount) else {
            throw DiskError(
                operation: "write",
                path: path,
                reason: "it has \(status.byteCount) bytes, of which \(byteCount) were written: "
                    + "somebody else has changed it"
            )
        }
        return status.byteCount - byteCount
    }

    /// Closes the file; it may not be on the disk yet.
    ///
    /// - Throws: ``DiskError``; what is in the file is then unknown.
    func close() throws(DiskError) { try file.close() }

    /// Closes the file and removes it.
    ///
    /// - Throws: ``DiskError``; the file may be left.
    func discard() throws(DiskError) {
        try file.close()
        try disk.remove(path)
    }
}

extension UInt64 {
    /// Twenty digits, so that names are in the order of numbers.
    var padded: String {
        let digits = String(self)
        return String(repeating: "0", count: 20 - digits.count) + digits
    }
}
