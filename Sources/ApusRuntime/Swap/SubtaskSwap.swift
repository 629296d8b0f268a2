import ApusMemory
import ApusPluginHost
import ApusState
import Synchronization

/// Another version of an operator on its way to one subtask.
///
/// Made by the control plane, carried out by the task thread; the parts that both use are atomic.
final class SubtaskSwap: @unchecked Sendable {
    // @unchecked because instance and step belong to the thread that made them until the swap is
    // posted, and to the task thread from then on.

    /// What is to happen.
    enum Work {
        /// This instance takes over; rows get a state of their own unless they are kept.
        case forward(OperatorInstance, StateMigration.Step, keepsRows: Bool)
        /// The version before this one takes over again; rows that were moved are brought back by a
        /// step.
        case back(StateMigration.Step?)
        /// The version before this one is given up: there is no way back to it.
        case commit
    }

    /// How far it is.
    enum Phase: UInt8, AtomicRepresentable {
        /// The task thread has not seen it.
        case posted
        /// It has, between two batches: nothing keeps it from going.
        case seen
        /// The version is in force.
        case done
        /// It is not, and will not be; the old one is.
        case failed
        /// The control plane has taken it back before that.
        case withdrawn
    }

    /// When the subtask switches.
    enum Cut: Equatable, Sendable {
        /// As soon as all subtasks have seen it, at the next pass.
        case boundary
        /// Behind its snapshot, at the barrier that is marked for it.
        case barrier
    }

    let work: Work
    let sequence: Int
    let cut: Cut
    let policy: BadValuePolicy
    /// Shared by all subtasks of a swap: they may switch.
    let go: SwapSignal
    private let current: Atomic<Phase> = Atomic(.posted)
    private let reason: Mutex<String?> = Mutex(nil)
    private let switchedAt: Atomic<Int64> = Atomic(0)
    private let tookNanoseconds: Atomic<Int64> = Atomic(0)
    private let watermarkCell: Atomic<Int64> = Atomic(.min)

    init(
        _ work: Work,
        sequence: Int,
        cut: Cut,
        policy: BadValuePolicy,
        go: SwapSignal
    ) {
        self.work = work
        self.sequence = sequence
        self.cut = cut
        self.policy = policy
        self.go = go
    }

    var phase: Phase { current.load(ordering: .acquiring) }

    /// Why it has failed.
    var failure: String? { reason.withLock { $0 } }

    /// When the version came into force, in monotonic nanoseconds, and how long that took.
    var time: (at: Int64, tookNanoseconds: Int64) {
        (switchedAt.load(ordering: .relaxed), tookNanoseconds.load(ordering: .relaxed))
    }

    /// Event time at the cut; `Int64.min` for none.
    var watermark: Int64 { watermarkCell.load(ordering: .relaxed) }

    /// The task thread has it in hand.
    func see() {
        _ = current.compareExchange(expected: .posted, desired: .seen, ordering: .releasing)
        go.bell.ring()
    }

    /// Takes it back; false when it has begun or ended.
    func withdraw() -> Bool {
        let first = current.compareExchange(
            expected: .posted,
            desired: .withdrawn,
            ordering: .acquiringAndReleasing
        )
        if first.exchanged { return true }
        return current.compareExchange(
            expected: .seen,
            desired: .withdrawn,
            ordering: .acquiringAndReleasing
        ).exchanged
    }

    func succeed(at time: Int64, tookNanoseconds: Int64, watermark: Int64) {
        watermarkCell.store(watermark, ordering: .relaxed)
        switchedAt.store(time, ordering: .relaxed)
        self.tookNanoseconds.store(tookNanoseconds, ordering: .relaxed)
        current.store(.done, ordering: .releasing)
        go.bell.ring()
    }

    func fail(_ why: String) {
        reason.withLock { $0 = why }
        current.store(.failed, ordering: .releasing)
        go.bell.ring()
    }
}

/// What becomes of a key whose state cannot be migrated.
package enum BadValuePolicy: String, Sendable, CaseIterable {
    /// Its records are set aside from then on; what it had goes to the dead letters.
    case hold
    /// It begins anew; what it had goes to the dead letters.
    case deadLetter = "dead-letter"
    /// The job fails, or a guarded swap is rolled back.
    case rollBack = "roll-back"
}
