import CRocksDB

extension StateDatabase {
    /// Looks up many keys at once.
    ///
    /// - Parameters:
    ///   - keys: In any order; equal ones are fine.
    ///   - body: Called once per key, in their order, with the key's index and its value, or nil
    ///     when it has none; the value is valid during the call.
    /// - Throws: ``StoreError`` when a file cannot be read or is damaged; `body` was not called.
    package func get(
        _ keys: UnsafeBufferPointer<UnsafeRawBufferPointer>,
        _ body: (Int, UnsafeRawBufferPointer?) -> Void
    ) throws(StoreError) {
        let count = keys.count
        guard count > 0 else { return }
        var lookup: OpaquePointer?
        // SAFETY: there are `count` keys, which are read during the call only.
        let message = withUnsafeTemporaryAllocation(of: apus_slice.self, capacity: count) { bytes in
            for index in 0..<count {
                bytes.initializeElement(at: index, to: apus_slice(keys[index]))
            }
            return apus_store_get(store, bytes.baseAddress, count, &lookup)
        }
        try StoreError.check(message, "look up in", path)
        guard let lookup else { preconditionFailure("a lookup without a result") }
        defer { apus_lookup_destroy(lookup) }
        // SAFETY: there are `count` values, valid until the lookup is destroyed.
        guard let values = apus_lookup_values(lookup) else { return }
        for index in 0..<count {
            body(index, values[index].start == nil ? nil : values[index].buffer)
        }
    }

    /// Looks up a key.
    ///
    /// - Parameters:
    ///   - key: The key.
    ///   - body: Called with its value, or nil when it has none; valid during the call.
    /// - Throws: ``StoreError`` when a file cannot be read or is damaged; `body` was not called.
    package func get(
        _ key: UnsafeRawBufferPointer,
        _ body: (UnsafeRawBufferPointer?) -> Void
    ) throws(StoreError) {
        var bytes = apus_slice(key)
        var lookup: OpaquePointer?
        try StoreError.check(apus_store_get(store, &bytes, 1, &lookup), "look up in", path)
        guard let lookup else { preconditionFailure("a lookup without a result") }
        defer { apus_lookup_destroy(lookup) }
        // SAFETY: there is one value, valid until the lookup is destroyed.
        guard let value = apus_lookup_values(lookup) else { return }
        body(value.pointee.start == nil ? nil : value.pointee.buffer)
    }

    /// Goes through a range of keys in their order.
    ///
    /// - Parameters:
    ///   - from: The first key.
    ///   - to: The key behind the last.
    ///   - readAheadByteCount: How much to read at once from the files, for long ranges, which then
    ///     leave the block cache alone; 0 for short ones.
    ///   - body: Called with each key and its value, valid during the call, until it returns false.
    ///     What is ingested meanwhile is not seen.
    /// - Throws: ``StoreError`` when a file cannot be read or is damaged; `body` may have been
    ///   called with what lies before.
    package func scan(
        from: UnsafeRawBufferPointer,
        to: UnsafeRawBufferPointer,
        readAheadByteCount: Int = 0,
        _ body: (_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Bool
    ) throws(StoreError) {
        guard from.precedes(to) else { return }
        // SAFETY: both bounds are the caller's and valid until we return; the scan is gone by then.
        let scan = apus_store_scan(store, apus_slice(from), apus_slice(to), readAheadByteCount)
        defer { apus_scan_destroy(scan) }
        var key = apus_slice()
        var value = apus_slice()
        while apus_scan_entry(scan, &key, &value) {
            guard body(key.buffer, value.buffer) else { return }
            apus_scan_next(scan)
        }
        try StoreError.check(apus_scan_message(scan), "scan", path)
    }
}
