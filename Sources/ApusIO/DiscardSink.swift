package import ApusMemory

/// Counts records and forgets them.
package final class DiscardSink: RecordSink {
    /// How many records there were so far.
    package private(set) var recordCount = 0

    /// Creates a sink.
    package init() {}

    // doc: inherited
    package func write(_ batch: RecordBatch) throws(EndpointError) { recordCount += batch.count }

    // doc: inherited
    package func flush() throws(EndpointError) {}

    // doc: inherited
    package func close() throws(EndpointError) {}
}
