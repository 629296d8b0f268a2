import ApusMemory
import ApusState

/// What a subtask tells about its part of a checkpoint.
struct SubtaskReport: Sendable {
    /// What the checkpoint has of the subtask.
    enum Content: Sendable {
        case source(SourceSnapshot)
        case `operator`(OperatorSnapshot)
        /// What it has sealed and not yet reported, in order; empty for one that delivers at once.
        case sink([SealedOutput])
    }

    /// The checkpoint.
    let number: UInt64
    /// Who reports.
    let subtask: SubtaskID
    /// What it has.
    let content: Content
    /// Records that the barrier has overtaken.
    let inFlight: InFlightFile?
    /// The longest that the thread has spent on the checkpoint in one pass of its loop so far.
    let pauseNanoseconds: Int64
    /// From the first barrier to the last one, or to when the stage stopped waiting.
    let alignmentNanoseconds: Int64
    /// Whether the barrier has overtaken records.
    let isUnaligned: Bool
}

/// Where a source stood.
struct SourceSnapshot: Equatable, Sendable {
    /// The source's own bytes.
    var position: [UInt8]
    /// The newest event time that it has given; `Int64.min` for none.
    var newestTime: Int64
    /// The last watermark sent; `Int64.min` for none.
    var watermark: Int64
    /// Whether its input had ended.
    var hasEnded: Bool
}

/// What an operator held.
struct OperatorSnapshot: Equatable, Sendable {
    /// Event time.
    var watermark: Int64
    /// The version of the operator, as ``OperatorVersions`` counts.
    var version = 0
    /// Keys that are left in rows of older versions, by the numbers that those are filed under.
    var origins: [UInt16: Int] = [:]
    /// Keys with state or timers, in rows of this version.
    var keyCount = 0
    /// Bytes of state.
    var byteCount = 0
    /// Armed timers in event time.
    var eventTimerCount = 0
    /// Armed timers in processing time.
    var processingTimerCount = 0
    /// What each broadcast state held, in short; empty for none.
    var broadcastDigests: [BroadcastDigest] = []
    /// What the broadcast states held; only of subtask 0.
    var broadcast: BroadcastSnapshot?
    /// What the operator state of the subtask held; nil for none.
    var operatorState: OperatorStateSnapshot?
}

/// A file of records that a barrier has overtaken; see ``InFlightLog``.
struct InFlightFile: Equatable, Sendable {
    /// Where it is.
    let path: String
    /// How many records it has.
    let recordCount: Int
}
