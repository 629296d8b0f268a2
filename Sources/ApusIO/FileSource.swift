package import ApusCore
package import ApusMemory

/// Reads the records of a file, which is decompressed when its name ends in `.gz`.
///
/// Positions of rejected records count the bytes after decompression, and so does ``position``:
/// to go to one in a compressed file takes decompressing it up to there, in a plain one no time.
package final class FileSource: RecordSource {
    private let path: String
    private let isFollowed: Bool
    private let isCompressed: Bool
    /// Whether it can be read again: not a pipe or a device.
    private let isFile: Bool
    private let disk: any Disk
    private var file: (any ReadableFile)?
    private var reader: RecordReader?

    /// Opens a file.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - parsing: How its bytes become records.
    ///   - follow: Whether its end is only the end for now.  It must then stay where it is and
    ///     grow; not for `.gz`.
    ///   - frames: What finds records that are frames.
    ///   - disk: Where the file is.
    /// - Throws: ``EndpointError`` that names the path, when it cannot be read.
    package convenience init(
        path: String,
        parsing: RecordParsing,
        follow: Bool = false,
        frames: (any FrameSplitter)? = nil,
        disk: any Disk
    ) throws(EndpointError) {
        try self.init(
            path: path,
            parsing: parsing,
            follow: follow,
            frames: frames,
            disk: disk,
            limits: RecordReader.Limits()
        )
    }

    /// Opens a file; see above.
    ///
    /// - Throws: ``EndpointError`` that names the path, when it cannot be read.
    init(
        path: String,
        parsing: RecordParsing,
        follow: Bool,
        frames: (any FrameSplitter)? = nil,
        disk: any Disk,
        limits: RecordReader.Limits
    ) throws(EndpointError) {
        isCompressed = path.hasSuffix(".gz")
        if isCompressed, follow {
            throw EndpointError("\(path): a compressed file cannot be followed")
        }
        self.path = path
        self.isFollowed = follow
        self.disk = disk
        let opened: any ReadableFile
        do throws(DiskError) {
            opened = try disk.openForReading(path)
            isFile = try disk.status(path)?.kind == .file
        } catch {
            throw EndpointError(error.description)
        }
        file = opened
        reader = RecordReader(
            name: path,
            file: isCompressed ? GzipFile(opened, path: path) : opened,
            parsing: parsing,
            endPolicy: follow ? .waits : .ends,
            limits: limits,
            frames: frames
        )
    }

    // doc: inherited
    package func read(
        into batch: RecordBatch,
        reject: (RejectedRecord) throws(EndpointError) -> Void
    ) throws(EndpointError) -> SourceProgress {
        guard let reader, let file else { preconditionFailure("the source is closed") }
        let progress = try reader.read(into: batch, reject: reject)
        if isFollowed, progress == .nothingYet, !file.isStillThere() {
            throw EndpointError(
                disk.exists(path)
                    ? "\(path): was truncated or replaced while it was followed"
                    : "\(path): has vanished while it was followed"
            )
        }
        return progress
    }

    // doc: inherited
    package var position: [UInt8]? {
        guard let reader else { preconditionFailure("the source is closed") }
        return isFile ? reader.position.bytes : nil
    }

    // doc: inherited
    package func seek(to position: [UInt8]) throws(EndpointError) {
        guard let reader else { preconditionFailure("the source is closed") }
        guard isFile else {
            throw EndpointError(
                "\(path): was a file when the checkpoint was taken, and now is a pipe or a device, "
                    + "which cannot be read from the middle: put the file back, or start the job "
                    + "without the checkpoint"
            )
        }
        let position = try FilePosition(position, name: path)
        try reader.seek(to: position, isPlain: !isCompressed)
    }

    // doc: inherited
    package func close() {
        reader = nil
        file = nil
    }
}
