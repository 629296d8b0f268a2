package import ApusMemory
import CApusPlugin

/// Takes event times out of values that are JSON objects.
package final class JSONTimeStamper: TimeStamper {
    private let document: JSONDocument
    private let fields: RecordFields

    /// Creates a stamper.
    package init(_ timestamp: RecordParsing.Timestamp) {
        let parsing = RecordParsing(format: .jsonLines, timestamp: timestamp)
        document = JSONDocument(paths: parsing.fieldPaths)
        fields = RecordFields(parsing)
    }

    // doc: inherited
    package func stamp(_ batch: RecordBatch) -> [RejectedRecord] {
        var rejected: [RejectedRecord] = []
        var indices: [Int] = []
        for index in 0..<batch.count {
            do throws(MalformedRecord) {
                batch.times[index] = try time(of: index, in: batch)
            } catch {
                rejected.append(batch.rejected(index, reason: error.reason))
                indices.append(index)
            }
        }
        batch.remove(indices)
        return rejected
    }

    private func time(of index: Int, in batch: RecordBatch) throws(MalformedRecord) -> Int64 {
        let value = batch.values + index
        // SAFETY: the view is inside the batch's buffers, which nobody writes meanwhile.
        let bytes = ByteRange(
            apus_view_data(value, UnsafePointer(batch.buffers)),
            count: Int(value.pointee.len)
        )
        // Whatever lies behind it may be somebody else's: it is copied.
        try document.parse(bytes, readableByteCount: bytes.count)
        return try fields.time(of: document)
    }
}
