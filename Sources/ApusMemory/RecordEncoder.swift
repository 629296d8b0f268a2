/// Turns records into bytes, for sinks that take bytes.
///
/// One thread.
package protocol RecordEncoder: AnyObject {
    /// Appends a record for each of a batch, whose value is the bytes.
    ///
    /// - Parameters:
    ///   - batch: The records.
    ///   - target: Empty, with room for as many; gets values alone.
    /// - Returns: Records that cannot be encoded; they are left out.
    /// - Throws: ``EndpointError`` when the encoder cannot go on.
    func encode(
        _ batch: RecordBatch,
        into target: RecordBatch
    ) throws(EndpointError) -> [RejectedRecord]
}
