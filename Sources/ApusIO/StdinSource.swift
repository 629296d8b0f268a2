import ApusCore
package import ApusMemory

/// Reads records from standard input, without ever waiting for it.
///
/// It has no position: what came through a pipe cannot be asked for again.
package final class StdinSource: RecordSource {
    private static let name = "standard input"

    private let parsing: RecordParsing
    private let descriptor: Int32
    private let frames: (any FrameSplitter)?
    private var reader: RecordReader?

    /// Creates a source; whether there is a standard input shows at the first read.
    ///
    /// - Parameters:
    ///   - parsing: How the bytes become records.
    ///   - frames: What finds records that are frames.
    package convenience init(parsing: RecordParsing, frames: (any FrameSplitter)? = nil) {
        self.init(parsing: parsing, descriptor: 0, frames: frames)
    }

    /// Creates a source that reads another descriptor, which stays open.
    init(parsing: RecordParsing, descriptor: Int32, frames: (any FrameSplitter)? = nil) {
        self.parsing = parsing
        self.frames = frames
        self.descriptor = descriptor
    }

    // doc: inherited
    package func read(
        into batch: RecordBatch,
        reject: (RejectedRecord) throws(EndpointError) -> Void
    ) throws(EndpointError) -> SourceProgress {
        let reader: RecordReader
        if let opened = self.reader {
            reader = opened
        } else {
            reader = try open()
            self.reader = reader
        }
        return try reader.read(into: batch, reject: reject)
    }

    // doc: inherited
    package func seek(to position: [UInt8]) throws(EndpointError) {
        throw EndpointError(
            "standard input cannot be resumed: what was read from it is gone; read a file instead, "
                + "or start the job without the checkpoint"
        )
    }

    // doc: inherited
    package func close() {
        reader = nil
    }

    private func open() throws(EndpointError) -> RecordReader {
        do throws(DiskError) {
            let file = try LinuxReadableFile(
                descriptor: descriptor,
                path: Self.name,
                ownsDescriptor: false
            )
            return RecordReader(
                name: Self.name,
                file: file,
                parsing: parsing,
                endPolicy: .ends,
                frames: frames
            )
        } catch {
            throw EndpointError(error.description)
        }
    }
}
