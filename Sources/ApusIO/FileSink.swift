package import ApusCore
package import ApusMemory

/// Writes the value of each record to a file, a line each or as it is, at once.
///
/// A job that goes on from a checkpoint extends the file whatever it was told at its first start;
/// records behind the checkpoint are then there a second time.
package final class FileSink: RecordSink {
    /// What is still to be done before the first record.
    private enum Start {
        /// What the file held is dropped.
        case empty
        /// If the file ends inside of a line, the line is ended.
        case endLine
        case done
    }

    private let path: String
    private let disk: any Disk
    private let file: any WritableFile
    private let writer: ValueWriter
    private let endsLines: Bool
    private var start: Start

    /// Opens a file; missing folders are made.
    ///
    /// What the file holds is dropped only by the first ``write(_:)`` or ``close()``: a job that
    /// does not come to run leaves it as it was.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - appending: Whether what it holds stays: for a job that is told so, or that goes on.  A
    ///     line that was cut off is ended, so that no record is glued to it.
    ///   - endsLines: Whether each value is a line; otherwise they stand as they are.
    ///   - disk: Where the file is.
    /// - Throws: ``EndpointError`` that names the path and the reason.
    package init(
        path: String,
        appending: Bool,
        endsLines: Bool = true,
        disk: any Disk
    ) throws(EndpointError) {
        do throws(DiskError) {
            file = try disk.openForWriting(path, appending: true)
        } catch {
            throw EndpointError(error.description)
        }
        self.path = path
        self.disk = disk
        self.endsLines = endsLines
        writer = ValueWriter(file, endsLines: endsLines)
        start = appending ? .endLine : .empty
    }

    private func begin() throws(EndpointError) {
        if start == .done { return }
        do throws(DiskError) {
            if start == .empty {
                try file.truncate(to: 0)
            } else if endsLines, try disk.endsInsideLine(path) {
                try file.writeLineFeed()
            }
        } catch {
            throw EndpointError(error.description)
        }
        start = .done
    }

    // doc: inherited
    package func write(_ batch: RecordBatch) throws(EndpointError) {
        if start == .empty || batch.count > 0 { try begin() }
        try writer.write(batch)
    }

    // doc: inherited
    package func flush() throws(EndpointError) { try writer.flush() }

    // doc: inherited
    package func close() throws(EndpointError) {
        if start == .empty { try begin() }
        try writer.close()
    }
}
