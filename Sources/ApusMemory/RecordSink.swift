/// A sink of records, as a task thread drives it.
///
/// One thread.
package protocol RecordSink: AnyObject {
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
}
