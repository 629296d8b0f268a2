/// A source of records, as a task thread drives it.
///
/// One thread; never blocks for long.
package protocol RecordSource: AnyObject {
    /// Begins.  Once, on the task thread, before the first read.
    ///
    /// - Throws: ``EndpointError`` when it cannot.
    func open() throws(EndpointError)

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
    ///
    /// - Throws: ``EndpointError`` when the source cannot tell.
    var position: [UInt8]? { get throws(EndpointError) }

    /// Whether ``noteBarrier(_:)`` and ``noteCheckpoint(_:)`` are of use.
    var wantsCheckpoints: Bool { get }

    /// Notes that the last ``position`` is that of a checkpoint under way.
    func noteBarrier(_ number: UInt64)

    /// Notes that a checkpoint is complete, and with it those before it.
    ///
    /// Between two reads, and between the last one and ``close()``.
    ///
    /// - Throws: ``EndpointError`` when the source cannot go on.
    func noteCheckpoint(_ number: UInt64) throws(EndpointError)

    /// Goes to where another source of the same settings stood; before the first read, once.
    ///
    /// May read: a compressed file is decompressed up to there.
    ///
    /// - Parameter position: What ``position`` gave.
    /// - Throws: ``EndpointError`` when it cannot be resumed, or is not what it was: the message
    ///   says what was expected, what was found and how to go on.
    func seek(to position: [UInt8]) throws(EndpointError)

    /// Releases what the source holds.  Once, after the last ``read(into:reject:)``.
    ///
    /// - Throws: ``EndpointError`` when that goes wrong; what it has given counts all the same.
    func close() throws(EndpointError)
}

/// What a source does that cannot be read a second time, and does not care for checkpoints.
extension RecordSource {
    // doc: inherited
    package func open() throws(EndpointError) {}

    // doc: inherited
    package var wantsCheckpoints: Bool { false }

    // doc: inherited
    package func noteBarrier(_ number: UInt64) {}

    // doc: inherited
    package func noteCheckpoint(_ number: UInt64) throws(EndpointError) {}

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
