/// A source of records, as a task thread drives it.
///
/// One thread; never blocks for long.
package protocol RecordSource: AnyObject {
    /// Appends the next records to an empty batch.
    ///
    /// - Parameters:
    ///   - batch: Empty; takes up to its capacity.  Value bytes may be read straight into its
    ///     arena.
    ///   - reject: Called with each record that is malformed; it is not appended.
    /// - Returns: What came of it.
    /// - Throws: ``EndpointError`` when the source is unreadable or has vanished.
    func read(
        into batch: RecordBatch,
        reject: (RejectedRecord) throws(EndpointError) -> Void
    ) throws(EndpointError) -> SourceProgress

    /// Releases what the source holds.  Once, after the last ``read(into:reject:)``.
    func close()
}

/// What a read of a source brought.
package enum SourceProgress: Equatable, Sendable {
    /// Records were appended or rejected; ask again at once.
    case advanced
    /// There is nothing now; ask again later.
    case nothingYet
    /// There will never be anything again.  What was appended with it still counts.
    case ended
}
