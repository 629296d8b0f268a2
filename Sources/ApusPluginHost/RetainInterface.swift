import ApusMemory
import CApusPlugin
import Synchronization

/// The functions of `apus.retain/1`.
enum RetainInterface {
    /// The most that an instance may keep.
    static let byteCountMax = 64 << 20

    static func makeFunctions() -> apus_retain_api {
        apus_retain_api(
            size: UInt32(MemoryLayout<apus_retain_api>.size),
            reserved: 0,
            retain: { context, batch, first, count, retained in
                guard let object = context?.pointee.instance_private, let batch, let retained else {
                    return APUS_UNSUPPORTED
                }
                let (end, overflow) = first.addingReportingOverflow(count)
                guard !overflow, count > 0, end <= batch.pointee.count else {
                    return APUS_UNSUPPORTED
                }
                // SAFETY: the context is the host's, and its instance lives while it runs.
                let made = Unmanaged<OperatorInstance>.fromOpaque(object)
                    ._withUnsafeGuaranteedRef { instance in
                        RetainedBatch(
                            batch,
                            Int(first)..<Int(end),
                            quota: instance.retained
                        )
                    }
                guard let made else { return APUS_LIMIT }
                // The plugin holds it until it calls release.
                retained.pointee = OpaquePointer(Unmanaged.passRetained(made).toOpaque())
                return APUS_OK
            },
            batch: { retained in
                guard let retained else { return nil }
                // SAFETY: the plugin has not released it, by contract.
                return Unmanaged<RetainedBatch>.fromOpaque(UnsafeRawPointer(retained))
                    ._withUnsafeGuaranteedRef { $0.view }
            },
            release: { retained in
                guard let retained else { return }
                // SAFETY: released once, by contract.
                Unmanaged<RetainedBatch>.fromOpaque(UnsafeRawPointer(retained)).release()
            }
        )
    }
}

/// How much an instance keeps.
final class RetainQuota: Sendable {
    private let byteCount: Atomic<Int> = Atomic(0)

    /// Takes bytes, unless that would be too many.
    func take(_ count: Int) -> Bool {
        let (_, new) = byteCount.add(count, ordering: .relaxed)
        guard new > RetainInterface.byteCountMax else { return true }
        give(count)
        return false
    }

    /// Gives bytes back.
    func give(_ count: Int) { byteCount.subtract(count, ordering: .relaxed) }
}

/// Records that a plugin keeps.
final class RetainedBatch {
    private let records: RecordBatch
    private let byteCount: Int
    private let quota: RetainQuota
    let view: UnsafePointer<apus_batch>

    /// Copies records; nil when the instance keeps too much already.
    init?(_ batch: UnsafePointer<apus_batch>, _ range: Range<Int>, quota: RetainQuota) {
        let source = batch.pointee
        // SAFETY: the host made the batch, and the range lies within it; bytes are copied.
        var byteCount = 0
        for index in range {
            byteCount += 64 + Int(source.value[index].len)
            if let keys = source.key { byteCount += Int(keys[index].len) }
        }
        guard quota.take(byteCount) else { return nil }
        records = RecordBatch(recordCapacity: range.count, arenaCapacity: byteCount)
        self.byteCount = byteCount
        self.quota = quota
        for (target, index) in range.enumerated() {
            let isKept = records.append(
                key: source.key.map { Self.bytes($0 + index, source.buffers) },
                value: Self.bytes(source.value + index, source.buffers),
                time: source.ts[index]
            )
            precondition(isKept, "the arena has room for what was counted")
            if let kinds = source.kind { records.kinds[target] = kinds[index] }
            records.hashes[target] = source.key_hash?[index] ?? 0
        }
        let view = UnsafeMutablePointer<apus_batch>.allocate(capacity: 1)
        view.initialize(to: records.view(input: source.input, isKeyed: source.key != nil))
        self.view = UnsafePointer(view)
    }

    deinit {
        view.deallocate()
        quota.give(byteCount)
    }

    private static func bytes(
        _ view: UnsafePointer<apus_view>,
        _ buffers: UnsafePointer<UnsafePointer<UInt8>?>?
    ) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(
            start: apus_view_data(view, buffers),
            count: Int(view.pointee.len)
        )
    }
}
