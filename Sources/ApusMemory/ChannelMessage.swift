/// What travels from one subtask to another: records, and between them the progress of time.
package enum ChannelMessage {
    /// Records.
    case batch(RecordBatch)
    /// No record with an earlier event time comes any more (microseconds).
    case watermark(Int64)
    /// Nothing comes for now; do not wait for this channel's watermark.
    case idle
    /// Nothing comes any more.
    case end
    /// What was sent before belongs to this checkpoint, what is sent after it does not.
    ///
    /// The number of the checkpoint, below 2^61.
    case barrier(UInt64)
}
