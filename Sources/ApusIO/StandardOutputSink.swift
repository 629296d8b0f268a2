package import ApusMemory
import Glibc

/// Writes the value of each record to standard output, a line each or as it is.
///
/// When the reader of a pipe is gone, that is an error like any other and not the end of the
/// process: SIGPIPE is ignored from the first such sink on.
package final class StandardOutputSink: RecordSink {
    private let writer: ValueWriter

    /// Creates a sink; `endsLines` is whether each value is a line.
    package convenience init(endsLines: Bool = true) {
        self.init(descriptor: 1, endsLines: endsLines)
    }

    /// Creates a sink for another descriptor, which stays open.
    init(descriptor: Int32, endsLines: Bool = true) {
        signal(SIGPIPE, SIG_IGN)
        writer = ValueWriter(
            LinuxWritableFile(
                descriptor: descriptor,
                path: "standard output",
                ownsDescriptor: false
            ),
            endsLines: endsLines
        )
    }

    // doc: inherited
    package func write(_ batch: RecordBatch) throws(EndpointError) { try writer.write(batch) }

    // doc: inherited
    package func flush() throws(EndpointError) { try writer.flush() }

    // doc: inherited
    package func close() throws(EndpointError) { try writer.close() }
}
