/// Takes event times out of values: for sources whose records are not parsed.
///
/// One thread.
package protocol TimeStamper: AnyObject {
    /// Sets the event time of each record of a batch by its value.
    ///
    /// - Returns: Records without such a time, which are removed from the batch.
    func stamp(_ batch: RecordBatch) -> [RejectedRecord]
}
