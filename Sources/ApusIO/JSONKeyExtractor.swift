package import ApusMemory
import CApusPlugin

/// Takes keys out of values that are JSON objects.
///
/// A string becomes its bytes in UTF-8 without escapes; a number or truth value its text as it
/// stands.  What is missing, null, nested, a null-value or not in a JSON object is no key.
package final class JSONKeyExtractor: KeyExtractor {
    private let document: JSONDocument
    private let nullValues: [[UInt8]]

    /// Creates an extractor.
    ///
    /// - Parameters:
    ///   - path: The way to the field, from the top of the value.
    ///   - nullValues: Texts that mean "no key".
    package init(path: [String], nullValues: [String]) {
        document = JSONDocument(paths: [path])
        self.nullValues = nullValues.map { Array($0.utf8) }
    }

    // doc: inherited
    package func extract(_ batch: RecordBatch) {
        for index in 0..<batch.count where !storeKey(of: index, in: batch) {
            batch.keys[index] = apus_view()
            batch.kinds[index] |= UInt8(APUS_KIND_NULL_KEY)
        }
    }

    private func storeKey(of index: Int, in batch: RecordBatch) -> Bool {
        let value = batch.values + index
        // A key is no longer than the value it is in.  The room is made first, because that may
        // move the arena with the value.
        guard batch.kinds[index] & UInt8(APUS_KIND_NULL_VALUE) == 0,
            batch.reserveArena(Int(value.pointee.len))
        else { return false }
        // SAFETY: the view is inside the batch's buffers, and nothing is written to the arena until
        // the key is stored, behind the value.
        let bytes = ByteRange(
            apus_view_data(value, UnsafePointer(batch.buffers)),
            count: Int(value.pointee.len)
        )
        do throws(MalformedRecord) {
            try document.parse(bytes, readableByteCount: readableByteCount(at: value, in: batch))
        } catch {
            return false
        }
        guard case .text(let key) = document.field(0),
            nullValues.isEmpty || !key.isOne(of: nullValues),
            batch.store(key.start, count: key.count, in: batch.keys + index)
        else { return false }
        batch.kinds[index] &= ~UInt8(APUS_KIND_NULL_KEY)
        return true
    }

    /// How far one may read from the start of a value: to the end of the arena if it is there.
    private func readableByteCount(
        at value: UnsafePointer<apus_view>,
        in batch: RecordBatch
    ) -> Int {
        let length = Int(value.pointee.len)
        guard length > Int(APUS_VIEW_INLINE),
            value.pointee.u.ref.buffer == UInt32(truncatingIfNeeded: batch.borrowedBufferCount)
        else { return length }
        return batch.arenaCapacity - Int(value.pointee.u.ref.offset)
    }
}
