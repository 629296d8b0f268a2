package import ApusCore
package import ApusMemory

/// Writes the value of each record to a file, a line each.
package final class FileSink: RecordSink {
    private let file: any WritableFile
    private let writer: ValueWriter
    /// Whether what the file held is still to be dropped.
    private var isToBeEmptied: Bool

    /// Opens a file; missing folders are made.
    ///
    /// What the file holds is dropped only by the first ``write(_:)`` or ``close()``: a job that
    /// does not come to run leaves it as it was.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - appending: Whether what it holds stays.
    ///   - disk: Where the file is.
    /// - Throws: ``EndpointError`` that names the path and the reason.
    package init(path: String, appending: Bool, disk: any Disk) throws(EndpointError) {
        do throws(DiskError) {
            file = try disk.openForWriting(path, appending: true)
        } catch {
            throw EndpointError(error.description)
        }
        writer = ValueWriter(file)
        isToBeEmptied = !appending
    }

    private func emptyOnce() throws(EndpointError) {
        guard isToBeEmptied else { return }
        do throws(DiskError) {
            try file.truncate()
        } catch {
            throw EndpointError(error.description)
        }
        isToBeEmptied = false
    }

    // doc: inherited
    package func write(_ batch: RecordBatch) throws(EndpointError) {
        try emptyOnce()
        try writer.write(batch)
    }

    // doc: inherited
    package func flush() throws(EndpointError) { try writer.flush() }

    // doc: inherited
    package func close() throws(EndpointError) {
        try emptyOnce()
        try writer.close()
    }
}
