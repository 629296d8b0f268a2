import Synchronization

/// What a stage has done so far: written by its thread, read by any.
final class StageCounters: Sendable {
    private let recordsInCell: Atomic<Int> = Atomic(0)
    private let recordsOutCell: Atomic<Int> = Atomic(0)
    private let rejectedCell: Atomic<Int> = Atomic(0)
    private let timersFiredCell: Atomic<Int> = Atomic(0)
    private let watermarkCell: Atomic<Int64> = Atomic(.min)
    private let keyCountCell: Atomic<Int> = Atomic(0)
    private let stateByteCountCell: Atomic<Int> = Atomic(0)

    var recordsIn: Int { recordsInCell.load(ordering: .relaxed) }
    var recordsOut: Int { recordsOutCell.load(ordering: .relaxed) }
    var rejected: Int { rejectedCell.load(ordering: .relaxed) }
    var timersFired: Int { timersFiredCell.load(ordering: .relaxed) }
    var watermark: Int64 { watermarkCell.load(ordering: .relaxed) }
    var keyCount: Int { keyCountCell.load(ordering: .relaxed) }
    var stateByteCount: Int { stateByteCountCell.load(ordering: .relaxed) }

    // One writer: a load and a store suffice, no read-modify-write.
    func addIn(_ count: Int) { recordsInCell.store(recordsIn &+ count, ordering: .relaxed) }
    func addOut(_ count: Int) { recordsOutCell.store(recordsOut &+ count, ordering: .relaxed) }
    func addRejected(_ count: Int) { rejectedCell.store(rejected &+ count, ordering: .relaxed) }
    func addTimersFired(_ count: Int) {
        timersFiredCell.store(timersFired &+ count, ordering: .relaxed)
    }
    func setWatermark(_ time: Int64) { watermarkCell.store(time, ordering: .relaxed) }
    func setState(keyCount: Int, byteCount: Int) {
        keyCountCell.store(keyCount, ordering: .relaxed)
        stateByteCountCell.store(byteCount, ordering: .relaxed)
    }
}
