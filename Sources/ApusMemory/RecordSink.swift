/// A sink of records, as a task thread drives it.
///
/// One thread.
package protocol RecordSink: AnyObject {
    /// Begins.  Once, on the task thread, before the first write.
    ///
    /// - Throws: ``EndpointError`` when it cannot.
    func open() throws(EndpointError)

    /// Takes the records of a batch; they may wait in a buffer until ``flush()``.
    ///
    /// - Throws: ``EndpointError``, for example when the disk is full.
    func write(_ batch: RecordBatch) throws(EndpointError)

    /// Hands everything that waits to the operating system.
    ///
    /// - Throws: ``EndpointError``; the job fails then.
    func flush() throws(EndpointError)

    /// Flushes and closes.  Once, after the last write.
    ///
    /// - Throws: ``EndpointError``; the output is then not complete, and the job fails.
    func close() throws(EndpointError)

    /// Takes over the records that the last successful ``write(_:)`` could not write, and never
    /// will.
    func takeRejected() -> [RejectedRecord]

    /// Whether an error that is retryable is waited for in any job, and not only where the output
    /// becomes visible with checkpoints.
    var asksForPatience: Bool { get }
}

/// What a sink does that takes everything.
extension RecordSink {
    // doc: inherited
    package func open() throws(EndpointError) {}

    // doc: inherited
    package func takeRejected() -> [RejectedRecord] { [] }

    // doc: inherited
    package var asksForPatience: Bool { false }
}
