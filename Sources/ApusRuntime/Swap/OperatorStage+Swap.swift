import ApusCore
import ApusMemory
import ApusPluginHost
import ApusState

/// Another version of the operator takes over; see docs/decisions/2026-11-28-hot-swap.md.
extension OperatorStage {
    /// How long a slice of the sweep takes, in nanoseconds.
    static let sweepSliceNanoseconds: Int64 = 200_000

    /// How many times as long as it took comes no other slice: when there are records, and when
    /// there are none.
    static let sweepRestAtWork: Int64 = 8
    static let sweepRest: Int64 = 2
    /// How long a thread without work sleeps between two slices, in microseconds.
    static let sweepPauseMicroseconds: Int64 = 300

    /// A version that may come back.
    struct Earlier {
        let instance: OperatorInstance
        let gate: AsyncGate?
        let sequence: Int
        /// From it to the one that followed.
        let step: StateMigration.Step
        let keepsRows: Bool
    }

    // MARK: - The cut

    /// Looks at a swap that was posted; between two batches.
    func considerSwap() throws(JobFailure) {
        // First, so that what is told from here on is looked at again.
        swaps.noteLooked()
        try considerShadow()
        guard let swap = swaps.current else { return }
        switch swap.phase {
        case .posted:
            guard isOpen, !isPastLastBarrier else {
                return refuse(swap, "operator '\(node)' has ended: its input has, or the job stops")
            }
            swap.see()
            // Nobody calls again when there is nothing to wait for, as when a swap is committed.
            if swap.cut == .boundary, swap.go.isSet { try carryOut(swap) }
        case .seen:
            guard swap.cut == .boundary, swap.go.isSet else { return }
            try carryOut(swap)
        case .done, .failed, .withdrawn:
            swaps.clear()
        }
    }

    private func refuse(_ swap: SubtaskSwap, _ reason: String) {
        swaps.clear()
        swap.fail(reason)
    }

    /// Switches at a barrier, behind the snapshot.
    func switchAtBarrier() throws(JobFailure) {
        guard let swap = swaps.current, swap.cut == .barrier else { return }
        if case .seen = swap.phase { try carryOut(swap) }
    }

    private func carryOut(_ swap: SubtaskSwap) throws(JobFailure) {
        let start = clock.monotonicNanoseconds()
        swaps.clear()
        endShadow()
        finishWalks()
        switch swap.work {
        case .forward(let next, let step, let keepsRows):
            guard try goForward(to: next, step, keepsRows: keepsRows, swap) else { return }
        case .back(let step):
            guard try goBack(step, swap) else { return }
        case .commit:
            isOnProbation = false
            forgetEarlier()
        }
        swaps.beginProbation()
        badValuePolicy = swap.policy
        callCount = 0
        swaps.tell(version: version)
        reportMigration()
        let now = clock.monotonicNanoseconds()
        swap.succeed(at: now, tookNanoseconds: now - start, watermark: appliedWatermark)
    }

    private func goForward(
        to next: OperatorInstance,
        _ step: StateMigration.Step,
        keepsRows: Bool,
        _ swap: SubtaskSwap
    ) throws(JobFailure) -> Bool {
        // The commit of the swap before may have been passed by.
        forgetEarlier()
        let old = Earlier(
            instance: instance,
            gate: gate,
            sequence: version,
            step: step,
            keepsRows: keepsRows
        )
        let undone = undoneCalls()
        do {
            let now = clock.wallMicroseconds()
            try next.takeOver(
                instance,
                step,
                rows: keepsRows
                    ? nil
                    : (StateMigration([step]), earlierMigrations.map { $0.followed(by: step) }),
                nowMicroseconds: now
            )
            try next.open(nowMicroseconds: now)
        } catch {
            if !keepsRows, let taken = next.state { instance.state?.takeBack(taken) }
            next.destroy()
            swap.fail(error.description)
            return false
        }
        giveUpCalls()
        try install(next, version: swap.sequence)
        earlier = old
        isOnProbation = true
        try begin(undone)
        return true
    }

    /// The version before comes back: with rows that are kept it goes on as it was; otherwise what
    /// the newer one has written is brought back to its version.
    private func goBack(
        _ step: StateMigration.Step?,
        _ swap: SubtaskSwap
    ) throws(JobFailure) -> Bool {
        guard let old = earlier else {
            swap.fail("operator '\(node)' has no version to go back to")
            return false
        }
        let undone = undoneCalls()
        giveUpCalls()
        if !old.keepsRows, let state = instance.state {
            // Nothing was moved yet: the rows are where they were.
            if let step {
                old.instance.state?.takeBack(state, StateMigration([step]))
            } else {
                guard state.adoptedCount == 0 else {
                    swap.fail("nothing brings the rows of operator '\(node)' back")
                    return false
                }
                old.instance.state?.takeBack(state)
            }
        }
        retire(instance)
        try install(old.instance, version: old.sequence)
        earlier = nil
        isOnProbation = false
        try begin(undone)
        return true
    }

    private var earlierMigrations: [StateMigration] {
        instance.state?.originMigrations.compactMap { $0 as? StateMigration } ?? []
    }

    private func install(_ next: OperatorInstance, version: Int) throws(JobFailure) {
        instance = next
        self.version = version
        gate = next.calls.map { AsyncGate(isOrdered: $0.settings.isOrdered) }
        let bell = thread.bell
        next.calls?.inbox.ring { bell.ring() }
        try drainAfterSwap()
    }

    /// Records whose calls are under way: the next version begins them again.
    private func undoneCalls() -> [(record: RecordBatch, input: Int)] {
        guard let calls = instance.calls, let gate, !calls.isEmpty else { return [] }
        return gate.undelivered(among: calls.taken).map { call in
            let copy = RecordBatch(recordCapacity: 1, arenaCapacity: 1024)
            copy.copy(call.record)
            return (copy, call.input)
        }
    }

    private func begin(_ undone: [(record: RecordBatch, input: Int)]) throws(JobFailure) {
        for (record, input) in undone {
            isReplayAgain = true
            defer { isReplayAgain = false }
            try process(record, input: input)
        }
    }

    // MARK: - Afterwards

    /// Forgets the version before: there is no way back to it any more.
    func forgetEarlier() {
        instance.state?.forgetTakingOver()
        guard let old = earlier else { return }
        earlier = nil
        retire(old.instance)
    }

    private func retire(_ old: OperatorInstance) {
        closeReplaced(old)
        for counter in old.counters { retiredCounters[counter.name, default: 0] &+= counter.value }
        old.destroy()
    }

    /// Closes a version that does not run any more: what it has threads for ends here.
    ///
    /// The other one is in force. Its lines would come behind those of its successor, or be those
    /// of a version that was taken back; and that it fails now changes nothing.
    private func closeReplaced(_ old: OperatorInstance) {
        defer { for output in old.outputs { output.discard() } }
        do {
            let now = clock.wallMicroseconds()
            try old.close(watermark: appliedWatermark, nowMicroseconds: now)
        } catch {
            return
        }
    }

    /// Closes the version that may have come back, when the operator itself ends.
    func closeEarlier() {
        if let earlier { closeReplaced(earlier.instance) }
    }

    /// Moves rows of older versions, until the time is up.
    func sweep(until limit: Int64) throws(JobFailure) {
        guard let state = instance.state, state.isMigrating else { return }
        let start = clock.monotonicNanoseconds()
        guard start >= nextSweepAt else { return }
        // As long as nobody has called the new version, the old one can come back as it was.
        if earlier == nil || callCount > 0 {
            let slice = start + Self.sweepSliceNanoseconds
            state.setTime(microseconds: clock.wallMicroseconds(), watermark: watermark)
            state.sweepOrigins(untilNanoseconds: min(limit, slice), clock: clock)
            try settleQuarantined()
            let end = clock.monotonicNanoseconds()
            let isAtWork = callCount != callCountAtSweep
            callCountAtSweep = callCount
            nextSweepAt = end + (isAtWork ? Self.sweepRestAtWork : Self.sweepRest) * (end - start)
        } else {
            nextSweepAt = start + Self.sweepSliceNanoseconds
        }
        let dead = state.takeDead()
        if !dead.isEmpty { swaps.keep(dead: dead) }
        reportMigration()
    }

    /// Lets the control plane see how the version on probation does.
    func reportProbation() {
        guard isOnProbation else { return }
        let now = clock.monotonicNanoseconds()
        guard now >= nextProbationReportAt else { return }
        nextProbationReportAt = now + Self.probationReportNanoseconds
        swaps.tell(counters: instance.counters)
        reportMigration()
    }

    private static let probationReportNanoseconds: Int64 = 10_000_000

    private func reportMigration() {
        swaps.tell(
            originKeyCount: instance.state?.originKeyCount ?? 0,
            originCount: instance.state?.originMigrations.count ?? 0,
            quarantinedCount: instance.state?.quarantinedCount ?? 0,
            callCount: callCount
        )
    }

    /// Decides what becomes of keys that could not be migrated.
    func settleQuarantined() throws(JobFailure) {
        guard let state = instance.state else { return }
        for key in state.takeQuarantined() {
            let name = String(decoding: key.image.key, as: UTF8.self)
            guard badValuePolicy != .rollBack else {
                throw JobFailure(
                    .plugin,
                    node: node,
                    "the state of key '\(name)' cannot be migrated: \(key.reason)"
                )
            }
            if badValuePolicy == .hold { state.hold(key.image.key) }
            try reject(key.rejected(node: node, policy: badValuePolicy))
        }
    }
}
