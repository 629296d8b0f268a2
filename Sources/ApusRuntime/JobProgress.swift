/// What a job has done so far.
package struct JobProgress: Sendable {
    /// One node, over all its subtasks.
    package struct Node: Sendable {
        /// The node's id.
        package let id: String
        /// Records taken.
        package let recordsIn: Int
        /// Records emitted; for a source read, for a sink written.
        package let recordsOut: Int
        /// Records that were malformed or that the operator refused.
        package let rejected: Int
        /// Timers that have fired.
        package let timersFired: Int
        /// The least event time of its subtasks in microseconds; `Int64.min` before the first
        /// watermark, `Int64.max` at the end of the input.
        package let watermark: Int64
        /// Keys with state or timers, as of the last watermark.
        package let keyCount: Int
        /// Bytes of state, as of the last watermark.
        package let stateByteCount: Int
    }

    /// The nodes in topological order.
    package let nodes: [Node]
    /// All checkpoints together; nil for a job that takes none.
    package let checkpoints: CheckpointTotals?
    /// Nanoseconds since the job started.
    package let elapsedNanoseconds: Int64
    /// Records read by all sources.
    package let sourceRecords: Int
    /// Records rejected anywhere.
    package let rejectedRecords: Int
}
