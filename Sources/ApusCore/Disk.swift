/// The seam to files.
///
/// Paths are as the user wrote them, relative to the working directory.
package protocol Disk: DiskFolders {
    /// Opens an existing file for reading.
    ///
    /// - Throws: ``DiskError`` that names the path and the reason.
    func openForReading(_ path: String) throws(DiskError) -> any ReadableFile

    /// Creates a file, or empties or extends an existing one; missing folders are made.
    ///
    /// - Throws: ``DiskError`` that names the path and the reason.
    func openForWriting(_ path: String, appending: Bool) throws(DiskError) -> any WritableFile

    /// Reads a whole file of at most `maximumByteCount` bytes.
    ///
    /// - Throws: ``DiskError``; a larger file is an error.
    func readAll(_ path: String, maximumByteCount: Int) throws(DiskError) -> [UInt8]

    /// The same for what must be a plain file: pipes, devices and folders are refused at once.
    ///
    /// - Throws: ``DiskError``; it never waits for a writer at the other end of a pipe.
    func readPlainFile(_ path: String, maximumByteCount: Int) throws(DiskError) -> [UInt8]

    /// The same for a file that nobody else may have written: its owner is this user, nobody else
    /// can write to it, and it is no link.
    ///
    /// - Throws: ``DiskError``.
    func readPrivateFile(_ path: String, maximumByteCount: Int) throws(DiskError) -> [UInt8]

    /// Writes a file as a whole: temporary name, fsync, rename.  Readers see all of it or nothing.
    ///
    /// - Throws: ``DiskError``; the old file, if any, is untouched then.
    func writeAtomically(_ bytes: [UInt8], to path: String, mode: UInt32) throws(DiskError)

    /// Whether there is a file (or folder) at the path.
    func exists(_ path: String) -> Bool

    /// Makes a folder and those above it, for the owner only.
    ///
    /// - Throws: ``DiskError`` that names the path and the reason.
    func makeDirectory(_ path: String) throws(DiskError)

    /// What file a path leads to, whatever it is called; nil when there is none.
    func identity(_ path: String) -> FileIdentity?

    /// The path with links resolved, from the root.
    ///
    /// - Throws: ``DiskError`` when there is nothing at the path.
    func canonicalPath(_ path: String) throws(DiskError) -> String
}

extension Disk {
    // doc: inherited
    package func readPlainFile(
        _ path: String,
        maximumByteCount: Int
    ) throws(DiskError) -> [UInt8] {
        if let status = try status(path), status.kind == .other { throw .notPlain(path) }
        return try readAll(path, maximumByteCount: maximumByteCount)
    }

    // doc: inherited
    package func readPrivateFile(
        _ path: String,
        maximumByteCount: Int
    ) throws(DiskError) -> [UInt8] {
        try readPlainFile(path, maximumByteCount: maximumByteCount)
    }
}

/// A file that is read from start to end.
///
/// Used by one thread at a time.
package protocol ReadableFile: AnyObject {
    // SAFETY: the buffer is the caller's; it is written within its bounds during the call only.

    /// Reads up to `buffer.count` bytes; 0 is the end of what there is now.
    ///
    /// - Throws: ``DiskError`` that names the path and the reason.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(DiskError) -> Int

    /// Reads up to `buffer.count` bytes from an offset, wherever ``read(into:)`` is; 0 is the end.
    ///
    /// - Throws: ``DiskError``; pipes, terminals and compressed files have no offsets (`ESPIPE`).
    func read(
        into buffer: UnsafeMutableRawBufferPointer,
        atByteOffset byteOffset: Int
    ) throws(DiskError) -> Int

    /// Has ``read(into:)`` go on at an offset; behind the end there is nothing to read.
    ///
    /// - Throws: ``DiskError``; pipes, terminals and compressed files have no offsets (`ESPIPE`).
    func seek(toByteOffset byteOffset: Int) throws(DiskError)

    /// Whether reading would not have to wait: always true for plain files.
    func isReady(waitingMilliseconds: Int32) -> Bool

    /// Whether the path still leads to this file and the file is not shorter than what was read.
    func isStillThere() -> Bool
}

extension ReadableFile {
    /// Refuses: for what is read from start to end and in no other way.
    ///
    /// - Throws: ``DiskError``.
    package func read(
        into buffer: UnsafeMutableRawBufferPointer,
        atByteOffset byteOffset: Int
    ) throws(DiskError) -> Int {
        throw .hasNoOffsets
    }

    /// Refuses: for what is read from start to end and in no other way.
    ///
    /// - Throws: ``DiskError``.
    package func seek(toByteOffset byteOffset: Int) throws(DiskError) {
        throw .hasNoOffsets
    }
}

/// A file that is written from start to end.
///
/// Used by one thread at a time.
package protocol WritableFile: AnyObject {
    /// Writes all bytes.
    ///
    /// - Throws: ``DiskError``, for example when the disk is full; a part may have been written.
    func write(_ bytes: UnsafeRawBufferPointer) throws(DiskError)

    /// Cuts a plain file off behind its first bytes; does nothing for pipes, terminals and devices.
    ///
    /// - Parameter byteCount: How many bytes stay; no more than there are.
    /// - Throws: ``DiskError``; the file is as it was.
    func truncate(to byteCount: Int) throws(DiskError)

    /// Waits until everything written is on the disk.
    ///
    /// - Throws: ``DiskError``; what was written since the last success may be lost.
    func synchronize() throws(DiskError)

    /// Closes the file.
    ///
    /// - Throws: ``DiskError``; some file systems report a full disk only here.
    func close() throws(DiskError)
}

/// Why a file operation failed.
package struct DiskError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What was tried, as a verb: "open", "write".
    package let operation: String
    /// The path, as it was given.
    package let path: String
    /// The reason in words.
    package let reason: String
    /// The system's error number, or 0.
    package let errorNumber: Int32

    /// Creates an error.
    package init(operation: String, path: String, reason: String, errorNumber: Int32 = 0) {
        self.operation = operation
        self.path = path
        self.reason = reason
        self.errorNumber = errorNumber
    }

    /// What reading elsewhere than at the front of a stream ends with; 29 is `ESPIPE`.
    fileprivate static let hasNoOffsets = DiskError(
        operation: "read",
        path: "a stream",
        reason: "it has no offsets: it is read from start to end",
        errorNumber: 29
    )

    /// What opening a pipe, a socket or a device ends with where a plain file is expected.
    package static func notPlain(_ path: String) -> DiskError {
        DiskError(
            operation: "read",
            path: path,
            reason: "a pipe, a socket or a device; expected a plain file"
        )
    }

    /// One sentence: `cannot open data/x.csv: No such file or directory`.
    package var description: String { "cannot \(operation) \(path): \(reason)" }
}

/// A file as the system knows it: equal for all names of one file, hard links included.
package struct FileIdentity: Hashable, Sendable {
    /// The device.
    package let device: UInt64
    /// The file's number on the device.
    package let number: UInt64

    /// Creates an identity.
    package init(device: UInt64, number: UInt64) {
        self.device = device
        self.number = number
    }
}
