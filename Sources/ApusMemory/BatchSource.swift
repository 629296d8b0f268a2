/// A source that fills batches of its own, which are sent on without copying them.
///
/// One thread.
package protocol BatchSource: RecordSource {
    /// Makes the next records; to be followed by ``drain(_:)``.
    ///
    /// - Parameters:
    ///   - watermark: How far event time has come that the source has told.
    ///   - reject: Called with each record that is malformed.
    /// - Returns: What came of it.
    /// - Throws: ``EndpointError`` when the source is unreadable or has vanished.
    func poll(
        watermark: Int64,
        reject: (RejectedRecord) throws(EndpointError) -> Void
    ) throws(EndpointError) -> SourceProgress

    /// Hands over what ``poll(reject:)`` has made, batch by batch.
    func drain<Failure: Error>(
        _ body: (RecordBatch) throws(Failure) -> Void
    ) throws(Failure)

    /// Whether it is in the middle of something: ``position`` is not to be asked for before it has
    /// been polled and drained again.
    var isPartial: Bool { get }
}

extension BatchSource {
    /// Polls and copies what comes; for those who know nothing of batches.
    package func read(
        into batch: RecordBatch,
        reject: (RejectedRecord) throws(EndpointError) -> Void
    ) throws(EndpointError) -> SourceProgress {
        preconditionFailure("a source with batches of its own is polled")
    }
}
