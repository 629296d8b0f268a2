import ApusState
import Synchronization

/// What one subtask has been told about another version of its operator.
final class SwapDesk: Sendable {
    private let hasOne: Atomic<Bool> = Atomic(false)
    private let waiting: Mutex<SubtaskSwap?> = Mutex(nil)
    private let closed: Mutex<String?> = Mutex(nil)

    // What the subtask tells: written by its thread, read by any.
    private let versionCell: Atomic<Int> = Atomic(0)
    private let originKeysCell: Atomic<Int> = Atomic(0)
    private let originsCell: Atomic<Int> = Atomic(0)
    private let quarantinedCell: Atomic<Int> = Atomic(0)
    private let callsCell: Atomic<Int> = Atomic(0)
    private let dead: Mutex<[DeadRows]> = Mutex([])
    private let probation: Mutex<Probation> = Mutex(Probation())

    /// What a version has shown since it came into force.
    struct Probation: Sendable {
        /// How many calls took up to 2^n nanoseconds, by n.
        var durations = [Int](repeating: 0, count: 48)
        /// Records that came in, and those of them that were rejected.
        var recordCount = 0
        var rejectedCount = 0
        /// The plugin's counters, as far as they have come since.
        var counters: [String: UInt64] = [:]
    }

    /// Whether the subtask has to look at it; one load.
    var needsLook: Bool { hasOne.load(ordering: .acquiring) }

    /// The subtask has looked, and waits to be told more.
    func noteLooked() { hasOne.store(false, ordering: .relaxed) }

    /// Has the subtask look again.
    func lookAgain() { hasOne.store(true, ordering: .releasing) }

    /// The version in force.
    var version: Int { versionCell.load(ordering: .acquiring) }
    /// Keys that are left in older versions.
    var originKeyCount: Int { originKeysCell.load(ordering: .relaxed) }
    /// Older versions that the state or the newest checkpoint may have rows of.
    var originCount: Int { originsCell.load(ordering: .relaxed) }
    /// Keys that could not be migrated.
    var quarantinedCount: Int { quarantinedCell.load(ordering: .relaxed) }
    /// How many calls the version in force has had.
    var callCount: Int { callsCell.load(ordering: .relaxed) }

    func tell(version: Int) { versionCell.store(version, ordering: .releasing) }
    func tell(originKeyCount: Int, originCount: Int, quarantinedCount: Int, callCount: Int) {
        originsCell.store(originCount, ordering: .relaxed)
        originKeysCell.store(originKeyCount, ordering: .relaxed)
        quarantinedCell.store(quarantinedCount, ordering: .relaxed)
        callsCell.store(callCount, ordering: .relaxed)
    }

    /// Keeps memory of older versions until a thread with time lets it go.
    func keep(dead: [DeadRows]) { self.dead.withLock { $0 += dead } }

    /// Lets memory of older versions go; not on a task thread.
    func letDeadGo() {
        let rows = dead.withLock { dead in
            defer { dead = [] }
            return dead
        }
        // They go with the last reference, outside of the lock.
        _ = consume rows
    }

    /// What the version in force has shown since.
    var shown: Probation { probation.withLock { $0 } }

    /// Begins anew: another version is in force.
    func beginProbation() { probation.withLock { $0 = Probation() } }

    /// Notes how long a batch of records took.
    func observe(nanoseconds: Int64) {
        let bucket = min(64 - max(nanoseconds, 1).leadingZeroBitCount, 47)
        probation.withLock { $0.durations[bucket] += 1 }
    }

    /// Notes that records come in.
    func note(records count: Int) { probation.withLock { $0.recordCount += count } }

    /// Notes that one of them was rejected.
    func noteRejected() { probation.withLock { $0.rejectedCount += 1 } }

    /// Notes the plugin's counters.
    func tell(counters: [(name: String, value: UInt64)]) {
        probation.withLock { probation in
            for counter in counters { probation.counters[counter.name] = counter.value }
        }
    }

    /// Gives the subtask a swap, in the place of one that has ended.
    func post(_ swap: SubtaskSwap) {
        closed.withLock { reason in
            if let reason { return swap.fail(reason) }
            waiting.withLock { $0 = swap }
            hasOne.store(true, ordering: .releasing)
        }
    }

    /// The swap in hand.
    var current: SubtaskSwap? { waiting.withLock { $0 } }

    /// Forgets the swap in hand.
    func clear() {
        waiting.withLock { $0 = nil }
        hasOne.store(false, ordering: .releasing)
    }

    /// Refuses everything from now on: the subtask ends.
    func close(_ reason: String) {
        closed.withLock { $0 = reason }
        if let swap = current, swap.withdraw() { swap.fail(reason) }
        clear()
    }
}
