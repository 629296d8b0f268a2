import CApusPlugin
import CApusShims

/// The hash that routes records: XXH3-64 with seed 0 over the key's bytes.
package enum KeyHash {
    /// The hash of some bytes.
    package static func of(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        // SAFETY: the buffer covers the bytes that are hashed.
        apus_xxh3(bytes.baseAddress, bytes.count)
    }

    /// Fills the hash column of a batch from its keys; records without key get 0.
    ///
    /// - Complexity: O(records + bytes of keys); allocates nothing.
    package static func fill(_ batch: RecordBatch) {
        let keys = batch.keys
        let hashes = batch.hashes
        let kinds = batch.kinds
        let buffers = UnsafePointer(batch.buffers)
        for index in 0..<batch.count {
            let key = keys + index
            if key.pointee.len == 8 {
                hashes[index] = apus_xxh3_8(apus_view_data(key, buffers))
            } else if kinds[index] & UInt8(APUS_KIND_NULL_KEY) != 0 {
                hashes[index] = 0
            } else {
                hashes[index] = apus_xxh3(apus_view_data(key, buffers), Int(key.pointee.len))
            }
        }
    }
}

extension KeyHash {
    /// Fills the hash column with 0: for records that are not dealt out by key.
    package static func clear(_ batch: RecordBatch) {
        batch.hashes.update(repeating: 0, count: batch.count)
    }

    /// The hash of a key.
    package static func of(_ key: [UInt8]) -> UInt64 { key.withUnsafeBytes { of($0) } }
}
