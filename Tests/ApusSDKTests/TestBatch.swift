import CApusPlugin

/// Records in the form in which a plugin gets them.
final class TestBatch {
    let pointer = UnsafeMutablePointer<apus_batch>.allocate(capacity: 1)
    /// The bytes that are too long for their views.
    private(set) var arena: UnsafeMutablePointer<UInt8>

    private let buffers = UnsafeMutablePointer<UnsafePointer<UInt8>?>.allocate(capacity: 1)
    private let keys: UnsafeMutablePointer<apus_view>
    private let values: UnsafeMutablePointer<apus_view>
    private let times: UnsafeMutablePointer<Int64>
    private let hashes: UnsafeMutablePointer<UInt64>
    private let kinds: UnsafeMutablePointer<UInt8>
    private var used = 0

    init(_ records: [TestRecord]) {
        let byteCount = records.reduce(1) { $0 + ($1.key ?? "").utf8.count + $1.value.utf8.count }
        arena = .allocate(capacity: byteCount)
        buffers.initialize(to: UnsafePointer(arena))
        keys = .allocate(capacity: records.count)
        values = .allocate(capacity: records.count)
        times = .allocate(capacity: records.count)
        hashes = .allocate(capacity: records.count)
        kinds = .allocate(capacity: records.count)
        pointer.initialize(
            to: apus_batch(
                size: UInt32(MemoryLayout<apus_batch>.size),
                count: UInt32(records.count),
                input: 0,
                flags: 0,
                key: keys,
                value: values,
                ts: times,
                key_hash: hashes,
                kind: kinds,
                buffers: buffers,
                buffer_count: 1,
                reserved: 0,
                host_private: nil
            )
        )
        for (index, record) in records.enumerated() {
            (keys + index).initialize(to: view(record.key ?? ""))
            (values + index).initialize(to: view(record.value))
            (times + index).initialize(to: record.time)
            (hashes + index).initialize(to: 0)
            (kinds + index).initialize(to: record.key == nil ? UInt8(APUS_KIND_NULL_KEY) : 0)
        }
    }

    deinit {
        pointer.deallocate()
        arena.deallocate()
        buffers.deallocate()
        keys.deallocate()
        values.deallocate()
        times.deallocate()
        hashes.deallocate()
        kinds.deallocate()
    }

    private func view(_ text: String) -> apus_view {
        var view = apus_view()
        let bytes = Array(text.utf8)
        guard bytes.count > 12 else {
            apus_view_inline(&view, bytes, UInt32(bytes.count))
            return view
        }
        (arena + used).initialize(from: bytes, count: bytes.count)
        view.len = UInt32(bytes.count)
        view.u.ref = apus_view_reference(
            prefix: (bytes[0], bytes[1], bytes[2], bytes[3]),
            buffer: 0,
            offset: UInt32(used)
        )
        used += bytes.count
        return view
    }
}
