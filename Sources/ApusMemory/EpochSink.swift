/// A sink whose output becomes visible only with the checkpoint that holds it.
///
/// What it takes goes to a log of the epoch; see ``OutputDelivery`` for what becomes of the logs.
/// It alone may fail and go on: when ``write(_:)``, ``flush()`` or ``seal(epoch:)`` throw an error
/// that is retryable, nothing of the call has happened, and the same call made again continues
/// exactly.  After an error that is not retryable every further call fails.  One thread.
package protocol EpochSink: RecordSink {
    /// Ends an epoch: what comes later belongs to the next one.
    ///
    /// Writes what waits in the buffer; does not wait for the disk.
    ///
    /// - Parameter epoch: The number of the barrier; higher than all before.
    /// - Returns: The epoch's log.
    /// - Throws: ``EndpointError``, for example when the disk is full; the epoch goes on then.
    func seal(epoch: UInt64) throws(EndpointError) -> SealedOutput
}
