package import ApusCore

/// A record that cannot be processed.
package struct RejectedRecord: Sendable {
    /// Where it came from, for people: `data/x.csv:17 (byte 4711)`, or empty.
    package var position: String
    /// Why.
    package var reason: String
    /// The record's bytes as they came (a source), or its value (an operator).
    package var bytes: [UInt8]
    /// Its key, if it has one.
    package var key: [UInt8]?
    /// Its event time, if it has one.
    package var time: EventTime

    /// Creates a rejected record.
    package init(
        position: String,
        reason: String,
        bytes: [UInt8],
        key: [UInt8]? = nil,
        time: EventTime = .none
    ) {
        self.position = position
        self.reason = reason
        self.bytes = bytes
        self.key = key
        self.time = time
    }
}

/// Where rejected records go.
///
/// Any thread.
package protocol DeadLetters: Sendable {
    /// Keeps a record that the node `node` could not process.
    ///
    /// - Throws: ``EndpointError`` when the job's policy is to fail, or the record cannot be kept.
    func add(_ record: RejectedRecord, node: String) throws(EndpointError)

    /// Waits until all records are where they survive a power cut: a checkpoint passes them.
    ///
    /// - Throws: ``EndpointError`` when they may be lost.
    func flush() throws(EndpointError)
}
