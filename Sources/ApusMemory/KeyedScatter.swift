package import ApusCore
import CApusPlugin

/// Deals the records of a batch out to the subtasks that own their keys.
///
/// There is one channel per reading subtask, and one batch per channel that fills up.  A batch is
/// sent when it is full, when its arena is, or when ``flush()`` is called.
package final class KeyedScatter {
    private let channels: [Channel]
    private var open: [RecordBatch?]
    private let groups: KeyGroups
    /// The owner of each key group.
    private let owners: UnsafeMutablePointer<UInt16>
    /// What the inner loop needs of each open batch, side by side.
    private let targets: UnsafeMutablePointer<Target>
    private let arenaByteCountMax: Int

    /// The columns and fill state of one open batch.
    private struct Target {
        var keys: UnsafeMutablePointer<apus_view>
        var values: UnsafeMutablePointer<apus_view>
        var times: UnsafeMutablePointer<Int64>
        var hashes: UnsafeMutablePointer<UInt64>
        var kinds: UnsafeMutablePointer<UInt8>
        var count: Int
        var capacity: Int
    }

    /// Creates a scatter over the channels of an exchange, one per reading subtask.
    ///
    /// - Parameters:
    ///   - channels: In the order of the reading subtasks.
    ///   - groups: The dealing of keys.
    ///   - arenaByteCountMax: A batch is sent when its bytes reach this.
    package init(channels: [Channel], groups: KeyGroups, arenaByteCountMax: Int = 256 << 10) {
        self.channels = channels
        self.groups = groups
        self.arenaByteCountMax = arenaByteCountMax
        open = Array(repeating: nil, count: channels.count)
        // SAFETY: freed in deinit.  `targets[n]` is valid while `open[n]` holds its batch.
        owners = .allocate(capacity: groups.count)
        for group in 0..<groups.count {
            owners[group] = UInt16(
                groups.subtask(ofGroup: group, parallelism: channels.count)
            )
        }
        targets = .allocate(capacity: channels.count)
    }

    deinit {
        owners.deallocate()
        targets.deallocate()
    }

    /// Whether records wait to be flushed.
    package var hasPending: Bool {
        open.indices.contains { open[$0] != nil && targets[$0].count > 0 }
    }

    /// Deals out the records of a batch whose hash column is filled.
    ///
    /// - Complexity: O(records + bytes longer than a view holds).
    package func scatter(_ batch: RecordBatch) {
        for index in open.indices where open[index] == nil { take(index) }
        let hashes = batch.hashes
        let keys = batch.keys
        let values = batch.values
        let times = batch.times
        let kinds = batch.kinds
        for index in 0..<batch.count {
            let hash = hashes[index]
            let number = Int(owners[groups.group(ofHash: hash)])
            let target = targets + number
            let at = target.pointee.count
            target.pointee.times[at] = times[index]
            target.pointee.hashes[at] = hash
            target.pointee.kinds[at] = kinds[index]
            let key = keys + index
            let value = values + index
            if key.pointee.len <= 12, value.pointee.len <= 12 {
                target.pointee.keys[at] = key.pointee
                target.pointee.values[at] = value.pointee
            } else {
                copyLong(from: batch, key: key, value: value, to: number, at: at)
            }
            target.pointee.count = at &+ 1
            if at &+ 1 == target.pointee.capacity { replace(number) }
        }
    }

    /// Sends all records that wait.
    package func flush() {
        for number in open.indices where open[number] != nil {
            if targets[number].count > 0 {
                send(number)
            }
        }
    }

    @inline(never)
    private func copyLong(
        from batch: RecordBatch,
        key: UnsafeMutablePointer<apus_view>,
        value: UnsafeMutablePointer<apus_view>,
        to number: Int,
        at: Int
    ) {
        guard let target = open[number] else { preconditionFailure("a target is open") }
        let keyBytes = batch.bytes(of: key)
        let valueBytes = batch.bytes(of: value)
        let isStored =
            target.store(keyBytes.baseAddress, count: keyBytes.count, in: target.keys + at)
            && target.store(valueBytes.baseAddress, count: valueBytes.count, in: target.values + at)
        precondition(isStored, "a batch of 256 KiB and one record of 2 GiB fit into an arena")
        if target.arenaUsed >= arenaByteCountMax { targets[number].capacity = at + 1 }
    }

    private func replace(_ number: Int) {
        send(number)
        take(number)
    }

    private func send(_ number: Int) {
        guard let batch = open[number] else { return }
        batch.count = targets[number].count
        open[number] = nil
        channels[number].send(.batch(batch))
    }

    private func take(_ number: Int) {
        let batch = channels[number].takeEmpty()
        open[number] = batch
        targets[number] = Target(
            keys: batch.keys,
            values: batch.values,
            times: batch.times,
            hashes: batch.hashes,
            kinds: batch.kinds,
            count: 0,
            capacity: batch.recordCapacity
        )
    }
}
