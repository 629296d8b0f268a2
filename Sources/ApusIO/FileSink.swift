package import ApusCore
package import ApusMemory

/// Writes the value of each record to a file, a line each.
package final class FileSink: RecordSink {
    private let writer: ValueWriter

    /// Opens a file; missing folders are made.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - appending: Whether what it holds stays.
    ///   - disk: Where the file is.
    /// - Throws: ``EndpointError`` that names the path and the reason.
    package init(path: String, appending: Bool, disk: any Disk) throws(EndpointError) {
        do throws(DiskError) {
            writer = ValueWriter(try disk.openForWriting(path, appending: appending))
        } catch {
            throw EndpointError(error.description)
        }
    }

    // doc: inherited
    package func write(_ batch: RecordBatch) throws(EndpointError) { try writer.write(batch) }

    // doc: inherited
    package func flush() throws(EndpointError) { try writer.flush() }

    // doc: inherited
    package func close() throws(EndpointError) { try writer.close() }
}
