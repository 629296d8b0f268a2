import Synchronization

/// What the control plane tells the task threads, and the first failure that they report.
final class RunControl: Sendable {
    /// How a job is to end.
    enum Request: UInt8, AtomicRepresentable {
        /// Not yet.
        case none
        /// Sources stop; what is under way is delivered; timers that are not due are dropped.
        case stop
        /// Everything stops where it is.
        case abort
    }

    private let request: Atomic<Request> = Atomic(.none)
    /// The newest barrier that sources are to send; 0 for none so far.
    private let newestBarrier: Atomic<UInt64> = Atomic(0)
    /// The barrier behind which sources end; published by `newestBarrier`.
    private let endingBarrier: Atomic<UInt64> = Atomic(0)
    /// The newest checkpoint that is complete; 0 for none so far.
    private let newestComplete: Atomic<UInt64> = Atomic(0)
    /// Whether the next barrier is one behind which operators switch, and the last one that was.
    private let wantsSwapBarrier: Atomic<Bool> = Atomic(false)
    private let switchingBarrier: Atomic<UInt64> = Atomic(0)
    private let finishing: Atomic<Bool> = Atomic(false)
    private let holdsBehindSwap: Atomic<Bool> = Atomic(false)
    private let newestDelivered: Atomic<UInt64> = Atomic(.max)
    private let mayEnd: Atomic<Bool> = Atomic(false)
    private let firstFailure: Mutex<JobFailure?> = Mutex(nil)

    /// The strongest request so far.
    ///
    /// Any thread; one load.
    var current: Request { request.load(ordering: .acquiring) }

    /// Asks the job to end.
    ///
    /// A request never weakens.
    func ask(_ wanted: Request) {
        if wanted == .abort {
            request.store(.abort, ordering: .releasing)
        } else {
            _ = request.compareExchange(expected: .none, desired: wanted, ordering: .releasing)
        }
    }

    // MARK: - Checkpoints

    /// The barrier that sources are to send; 0 for none so far.
    ///
    /// Any thread; one load.
    var barrier: UInt64 { newestBarrier.load(ordering: .acquiring) }

    /// The barrier behind which sources end; 0 for none.
    var lastBarrier: UInt64 { endingBarrier.load(ordering: .relaxed) }

    /// Asks the sources for a barrier.
    func askForBarrier(_ number: UInt64, isLast: Bool) {
        if isLast { endingBarrier.store(number, ordering: .relaxed) }
        newestBarrier.store(number, ordering: .releasing)
    }

    /// The barrier behind which operators switch to other versions; 0 for none.
    var swapBarrier: UInt64 { switchingBarrier.load(ordering: .acquiring) }

    /// Has operators switch behind the next barrier that is sent.
    ///
    /// - Parameter holdsOutput: Whether output behind it is not delivered.
    func wantSwapBarrier(holdsOutput: Bool) {
        holdsBehindSwap.store(holdsOutput, ordering: .relaxed)
        wantsSwapBarrier.store(true, ordering: .releasing)
    }

    /// Marks a barrier that is about to be sent, if one is wanted.
    func markSwapBarrier(_ number: UInt64) {
        guard wantsSwapBarrier.exchange(false, ordering: .acquiringAndReleasing) else { return }
        if holdsBehindSwap.load(ordering: .relaxed) { limitDelivery(to: number) }
        switchingBarrier.store(number, ordering: .releasing)
    }

    /// Takes the wish back; false when a barrier is marked already.
    func withdrawSwapBarrier() -> Bool {
        wantsSwapBarrier.exchange(false, ordering: .acquiringAndReleasing)
    }

    /// Whether the last checkpoint is complete, and only its delivery is left.
    var isFinishing: Bool { finishing.load(ordering: .acquiring) }

    /// Notes that only the delivery of the last checkpoint is left.
    func noteFinishing() { finishing.store(true, ordering: .releasing) }

    /// Output of later checkpoints is not delivered; `UInt64.max` when all of it is.
    var deliveryLimit: UInt64 { newestDelivered.load(ordering: .acquiring) }

    /// Holds the output of later checkpoints back, or lets it go.
    func limitDelivery(to checkpoint: UInt64) {
        newestDelivered.store(checkpoint, ordering: .releasing)
    }

    /// The newest checkpoint that is complete; 0 for none since the start.
    ///
    /// Any thread; one load.
    var completeCheckpoint: UInt64 { newestComplete.load(ordering: .acquiring) }

    /// Notes that a checkpoint is complete.
    func noteComplete(_ number: UInt64) { newestComplete.store(number, ordering: .releasing) }

    /// Whether threads that have nothing more to do may end: the last checkpoint is complete.
    var isReleased: Bool { mayEnd.load(ordering: .acquiring) }

    /// Lets threads end that have nothing more to do.
    func release() { mayEnd.store(true, ordering: .releasing) }

    // MARK: - Failures

    /// Reports a failure: the first one is kept, and everything stops.
    func fail(_ failure: JobFailure) {
        firstFailure.withLock { $0 = $0 ?? failure }
        ask(.abort)
    }

    /// The first failure, if any.
    var failure: JobFailure? { firstFailure.withLock { $0 } }
}
