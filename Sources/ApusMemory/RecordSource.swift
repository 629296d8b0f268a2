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

    /// Where the source stands after the last ``read(into:reject:)``: what was appended or rejected
    /// lies before it, everything else behind it.
    ///
    /// Versioned bytes of the source's own, for ``seek(to:)``.  Nil when the source cannot be read
    /// a second time, as with a pipe.  Between two reads.
    var position: [UInt8]? { get }

    /// Goes to where another source of the same settings stood; before the first read, once.
    ///
    /// May read: a compressed file is decompressed up to there.
    ///
    /// - Parameter position: What ``position`` gave.
    /// - Throws: ``EndpointError`` when it cannot be resumed, or is not what it was: the message
    ///   says what was expected, what was found and how to go on.
    func seek(to position: [UInt8]) throws(EndpointError)

    /// Releases what the source holds.  Once, after the last ``read(into:reject:)``.
    func close()
}

/// What a source does that cannot be read a second time.
extension RecordSource {
    /// Nil: there is no way back.
    package var position: [UInt8]? { nil }

    /// Refuses.
    ///
    /// - Throws: ``EndpointError``, always.
    package func seek(to position: [UInt8]) throws(EndpointError) {
        throw EndpointError("the source cannot be resumed: what it has given is gone")
    }
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
