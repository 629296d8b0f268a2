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
}
