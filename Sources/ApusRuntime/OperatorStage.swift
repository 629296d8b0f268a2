import ApusCore
import ApusMemory
import ApusPluginHost
import ApusState
import CApusPlugin

/// A plugin's operator at work on one subtask.
final class OperatorStage: Stage {
    /// The version in force.
    var instance: OperatorInstance
    /// Which one that is, as ``OperatorVersions`` counts.
    var version = 0
    /// The version before, as long as it may come back.
    var earlier: Earlier?
    /// Whether the control plane watches how the version does.
    var isOnProbation = false
    /// What another version is told by.
    let swaps = SwapDesk()
    /// Tells another process what this one is called with; see OperatorStage+Shadow.swift.
    var shadow: ShadowTap?
    /// What becomes of keys that cannot be migrated.
    var badValuePolicy = BadValuePolicy.rollBack
    /// How many calls the version in force has had.
    var callCount = 0
    /// The sweep of older versions' rows goes on no sooner, in monotonic nanoseconds.
    var nextSweepAt: Int64 = 0
    /// How many calls there had been at the last slice of it.
    var callCountAtSweep = 0
    /// The next report of a version on probation, likewise.
    var nextProbationReportAt: Int64 = 0
    /// The counters of versions that are gone.
    var retiredCounters: [String: UInt64] = [:]
    /// What instances of other versions are made for.
    let arguments: InstanceArguments
    let ports: [OutputPort]
    /// The thread that it runs on.
    unowned let thread: TaskThread
    /// Holds back what must not overtake asynchronous calls; nil for an operator that makes none.
    var gate: AsyncGate?
    /// Event time as far as the operator has been told; what calls under way hold back is missing.
    private(set) var appliedWatermark: Int64
    private let deadLetters: any DeadLetters
    private let patience: Patience
    private lazy var rejects = RejectHandler(
        deadLetters: deadLetters,
        counters: counters,
        patience: patience
    )
    let clock: any Clock
    /// What tools ask of the state.
    let desk = StateDesk()
    private let timers = TimerBatch()
    /// Holds the records of a batch that borrows from too many others; see ``flat(_:)``.
    private lazy var flatBatch = RecordBatch(recordCapacity: 1024, arenaCapacity: 64 << 10)
    let isKeyed: Bool
    /// Inputs from this number on are broadcast inputs.
    let mainInputCount: Int
    private(set) var isOpen = false
    private var snapshot = OperatorSnapshot(watermark: .min)
    /// Whether all its input had ended in the checkpoint that the job goes on from, as event time
    /// at its end tells: what it had to say at its end is said.
    private let hadEnded: Bool

    init(
        _ place: Place,
        instance: OperatorInstance,
        arguments: InstanceArguments,
        mainInputCount: Int,
        ports: [OutputPort],
        deadLetters: any DeadLetters,
        patience: Patience,
        clock: any Clock,
        thread: TaskThread
    ) {
        self.thread = thread
        gate = instance.calls.map { AsyncGate(isOrdered: $0.settings.isOrdered) }
        appliedWatermark = place.watermark
        let bell = thread.bell
        instance.calls?.inbox.ring { bell.ring() }
        self.instance = instance
        self.arguments = arguments
        self.mainInputCount = mainInputCount
        self.ports = ports
        self.clock = clock
        isKeyed = instance.description.isKeyed
        self.deadLetters = deadLetters
        self.patience = patience
        hadEnded = place.watermark == .max
        super.init(place)
    }

    override func open() throws(JobFailure) {
        do {
            try instance.open(nowMicroseconds: clock.wallMicroseconds())
        } catch {
            throw fail(error)
        }
        isOpen = true
        try drainUnlessEnded()
    }

    // MARK: - Records

    override func process(_ received: RecordBatch, input: Int) throws(JobFailure) {
        if shadow != nil { return try processTapped(received, input: input) }
        try processUntapped(received, input: input)
    }

    func processUntapped(_ received: RecordBatch, input: Int) throws(JobFailure) {
        if input >= mainInputCount {
            return try processBroadcast(received, input: input - mainInputCount)
        }
        guard isOnProbation else { return try handle(flat(received), input: input) }
        let start = clock.monotonicNanoseconds()
        swaps.note(records: received.count)
        try handle(flat(received), input: input)
        swaps.observe(nanoseconds: clock.monotonicNanoseconds() - start)
    }

    private func handle(_ batch: RecordBatch, input: Int) throws(JobFailure) {
        callCount &+= 1
        if let calls = instance.calls, let gate {
            return try process(batch, input: input, with: calls, gate)
        }
        var view = batch.view(input: UInt32(truncatingIfNeeded: input), isKeyed: isKeyed)
        let now = clock.wallMicroseconds()
        shadow?.note(now: now)
        var at = 0
        while at < batch.count {
            view.count = UInt32(batch.count)
            try bringRows(&view, from: at)
            if let state = instance.state, state.heldKeyCount > 0 {
                let held = withUnsafePointer(to: &view) { state.firstHeld($0, from: at) }
                if held == at {
                    try rejectHeld(batch, at)
                    at += 1
                    continue
                }
                view.count = UInt32(held ?? batch.count)
            }
            let count = Int(view.count)
            // SAFETY: the plugin may use the view during the call only; the batch outlives it.
            let outcome = withUnsafePointer(to: &view) {
                instance.process($0, from: at, watermark: appliedWatermark, nowMicroseconds: now)
            }
            at = try settle(outcome, batch, count: count)
            if instance.state?.quarantinedCount ?? 0 > 0 { try settleQuarantined() }
            try fireOverdue()
        }
    }

    /// Moves the rows of records that older versions have, when keys that cannot be moved are to be
    /// held: before the plugin would take them for new ones.
    private func bringRows(_ view: inout apus_batch, from at: Int) throws(JobFailure) {
        guard let state = instance.state, state.isMigrating, badValuePolicy == .hold else { return }
        // SAFETY: the rows are let go before the view is.
        withUnsafePointer(to: &view) { state.begin($0, from: at) }
        state.end()
        try settleQuarantined()
    }

    private func rejectHeld(_ batch: RecordBatch, _ at: Int) throws(JobFailure) {
        try reject(
            batch.rejected(at, reason: "its key is held: the key's state could not be migrated")
        )
    }

    private func processBroadcast(
        _ received: RecordBatch,
        input: Int
    ) throws(JobFailure) {
        callCount &+= 1
        let batch = flat(received)
        var view = batch.view(input: UInt32(truncatingIfNeeded: input), isKeyed: false)
        let now = clock.wallMicroseconds()
        shadow?.note(now: now)
        var at = 0
        while at < batch.count {
            // SAFETY: as in `process`.
            let outcome = withUnsafePointer(to: &view) {
                instance.processBroadcast(
                    $0,
                    from: at,
                    watermark: appliedWatermark,
                    nowMicroseconds: now
                )
            }
            at = try settle(outcome, batch, count: batch.count, isBroadcast: true)
        }
    }

    /// The same records in a batch that borrows from no other, when it borrows from so many that
    /// the outputs could not refer to all of them: behind some 60 operators in a chain.
    private func flat(_ batch: RecordBatch) -> RecordBatch {
        guard batch.borrowedBufferCount >= RecordBatch.bufferCountMax - 2 else { return batch }
        if flatBatch.recordCapacity < batch.count {
            flatBatch = RecordBatch(recordCapacity: batch.recordCapacity, arenaCapacity: 64 << 10)
        }
        flatBatch.copy(batch)
        return flatBatch
    }

    /// Delivers what a callback wrote, and tells at which record to go on.
    func settle(
        _ outcome: CallOutcome,
        _ batch: RecordBatch,
        count: Int,
        isBroadcast: Bool = false
    ) throws(JobFailure) -> Int {
        if isAborted {
            // A callback that was asked to stop may have done nothing: no reason to complain.
            for output in instance.outputs { output.discard() }
            return count
        }
        if case .failed(let error) = outcome { throw fail(error) }
        try drain()
        switch outcome {
        case .done: return count
        case .again(let at): return at
        case .badRecord(let at, let reason):
            // Every subtask gets the records of a broadcast input; one of them sets it aside.
            if !isBroadcast || subtask == 0 { try reject(batch.rejected(at, reason: reason)) }
            return at + 1
        case .failed(let error): throw fail(error)
        }
    }

    /// Sets a record aside, as the job's policy says.
    func reject(_ record: RejectedRecord) throws(JobFailure) {
        if isOnProbation { swaps.noteRejected() }
        shadow?.note(rejected: record)
        try rejects.reject(record, node: node)
    }

    /// Delivers what a callback without records wrote.
    func conclude(_ outcome: CallOutcome) throws(JobFailure) {
        if case .failed(let error) = outcome { throw fail(error) }
        try drain()
    }

    private func drain() throws(JobFailure) {
        for (index, output) in instance.outputs.enumerated() where !output.isEmpty {
            let port = ports[index]
            try output.drain { (batch: RecordBatch) throws(JobFailure) in
                if isAborted { return }
                counters.addOut(batch.count)
                shadow?.note(batch, output: index)
                try port.send(batch)
            }
        }
    }

    /// Delivers what a version has written when it was opened.
    func drainAfterSwap() throws(JobFailure) { try drain() }

    private func drainUnlessEnded() throws(JobFailure) {
        guard hadEnded else { return try drain() }
        for output in instance.outputs { output.discard() }
    }

    // MARK: - Time

    override func advance(to time: Int64) throws(JobFailure) {
        guard let calls = instance.calls, let gate else { return try applyWatermark(time) }
        gate.add(.watermark(time))
        try deliver(calls, gate)
    }

    /// Lets the operator know of event time, and those behind it.
    func applyWatermark(_ time: Int64) throws(JobFailure) {
        shadow?.begin(.eventTime, watermark: time)
        defer { shadow?.end() }
        appliedWatermark = time
        try fireTimers(.event, upTo: time)
        try conclude(instance.onWatermark(time, nowMicroseconds: clock.wallMicroseconds()))
        reportState()
        for port in ports { try port.sendWatermark(time) }
    }

    override var hasArrivals: Bool { swaps.needsLook || instance.calls?.inbox.hasAny ?? false }

    override func advanceProcessingTime(to now: Int64) throws(JobFailure) -> Bool {
        guard nextProcessingTime <= now else { return false }
        shadow?.begin(.processingTime, watermark: appliedWatermark)
        shadow?.note(now: now)
        defer { shadow?.end() }
        if let calls = instance.calls, let gate { try deliver(calls, gate) }
        if !isPastLastBarrier, !hadEnded { try fireTimers(.processing, upTo: now) }
        try fireOverdue()
        return true
    }

    override var nextProcessingTime: Int64 {
        guard isOpen else { return .max }
        if hasArrivals { return .min }
        var next = instance.calls?.nextTime ?? .max
        if instance.state?.isMigrating ?? false {
            next = min(next, clock.wallMicroseconds() &+ Self.sweepPauseMicroseconds)
        }
        guard !isPastLastBarrier, !hadEnded else { return next }
        if let state = instance.state { next = min(next, state.nextTimerTime(.processing)) }
        return next
    }

    /// Fires timers that were set for an event time that had passed already.
    func fireOverdue() throws(JobFailure) {
        guard let state = instance.state, state.nextTimerTime(.event) <= appliedWatermark else {
            return
        }
        try fireTimers(.event, upTo: appliedWatermark)
    }

    private func fireTimers(_ domain: KeyedState.TimerDomain, upTo time: Int64) throws(JobFailure) {
        guard let state = instance.state else { return }
        while !isAborted, state.takeDue(domain, upTo: time, into: timers) {
            try fireTaken(domain)
            checkpoints?.breathe(self)
        }
    }

    private func fireTaken(_ domain: KeyedState.TimerDomain) throws(JobFailure) {
        counters.addTimersFired(timers.count)
        callCount &+= 1
        if let shadow, let state = instance.state { shadow.note(timers, domain, state: state) }
        var at = 0
        while at < timers.count {
            let outcome = instance.onTimers(
                timers,
                domain: domain,
                from: at,
                watermark: appliedWatermark,
                nowMicroseconds: clock.wallMicroseconds()
            )
            at = try settle(outcome, timers.records, count: timers.count)
        }
    }

    /// Fires the timers in processing time that are due when the input ends.
    ///
    /// Once: those that they set in turn are not due by the same reading of the clock, or would
    /// never come to an end.
    private func fireLastProcessingTimers() throws(JobFailure) {
        guard let state = instance.state else { return }
        let now = clock.wallMicroseconds()
        var left = state.timerCount(.processing)
        while left > 0, !isAborted, state.takeDue(.processing, upTo: now, into: timers) {
            left -= timers.count
            try fireTaken(.processing)
        }
    }

    override func becomeIdle() throws(JobFailure) {
        if let calls = instance.calls, let gate {
            gate.add(.idle)
            try deliver(calls, gate)
            return
        }
        for port in ports { try port.sendIdle() }
    }

    // MARK: - The end

    override func finish() throws(JobFailure) {
        endShadow()
        if let calls = instance.calls, let gate { try finishCalls(calls, gate) }
        // Those that are armed at the last barrier fire when the job goes on.
        if !isPastLastBarrier, !hadEnded { try fireLastProcessingTimers() }
        reportState()
        if checkpoints != nil { try savePrivateSnapshot() }
        isOpen = false
        closeEarlier()
        do {
            let now = clock.wallMicroseconds()
            try instance.close(watermark: appliedWatermark, nowMicroseconds: now)
        } catch {
            throw fail(error)
        }
        try drainUnlessEnded()
        for port in ports { try port.sendEnd() }
    }

    override func passSwapBarrier() throws(JobFailure) { try switchAtBarrier() }

    override func sendBarrier(_ number: UInt64) throws(JobFailure) {
        for port in ports { try port.sendBarrier(number) }
    }

    override func announce(_ time: Int64) throws(JobFailure) {
        for port in ports { try port.sendWatermark(time) }
    }

    // MARK: - Checkpoints

    override func logUndone(
        _ makeLog: () throws(DiskError) -> InFlightLog
    ) throws(DiskError) {
        try logCalls(makeLog)
    }

    override func takeSnapshot(_ number: UInt64) throws(JobFailure) {
        snapshot = OperatorSnapshot(watermark: appliedWatermark)
        snapshot.version = version
        if let broadcasts = instance.broadcasts {
            snapshot.broadcastDigests = broadcasts.digests
            // All subtasks have the same.
            if subtask == 0 { broadcasts.beginSnapshot() }
        }
        // One that is closed has saved before.
        if isOpen { try savePrivateSnapshot() }
        instance.operatorState?.beginSnapshot()
        guard let state = instance.state else { return }
        // What an abandoned attempt has left.
        while state.isSnapshotting {
            state.continueSnapshot(untilNanoseconds: .max, clock: clock)
        }
        state.beginSnapshot(number)
        snapshot.origins = Dictionary(
            uniqueKeysWithValues: state.originCounts.map { ($0.number, $0.keyCount) }
        )
        snapshot.keyCount = state.keyCount - state.originKeyCount
        snapshot.byteCount = state.byteCount
        snapshot.eventTimerCount = state.timerCount(.event)
        snapshot.processingTimerCount = state.timerCount(.processing)
    }

    func savePrivateSnapshot() throws(JobFailure) {
        do {
            try instance.savePrivateSnapshot(nowMicroseconds: clock.wallMicroseconds())
        } catch {
            throw fail(error)
        }
    }

    override var isSnapshotting: Bool {
        instance.state?.isSnapshotting ?? false || instance.broadcasts?.isSnapshotting ?? false
            || instance.operatorState?.isSnapshotting ?? false
    }

    override func continueSnapshot(until limit: Int64) {
        instance.state?.continueSnapshot(untilNanoseconds: limit, clock: clock)
        instance.broadcasts?.continueSnapshot { clock.monotonicNanoseconds() < limit }
        instance.operatorState?.continueSnapshot { clock.monotonicNanoseconds() < limit }
    }

    override func snapshotContent() -> SubtaskReport.Content {
        takeWalked()
        return .operator(snapshot)
    }

    /// Takes over what has been walked of state that is not filed under keys.
    private func takeWalked() {
        if let found = instance.broadcasts?.takeSnapshot() { snapshot.broadcast = found }
        if let found = instance.operatorState?.takeSnapshot() { snapshot.operatorState = found }
    }

    /// Walks such state to its end for the snapshot that is under way: another version has its own.
    func finishWalks() {
        instance.broadcasts?.continueSnapshot { true }
        instance.operatorState?.continueSnapshot { true }
        takeWalked()
    }

    override func maintain(until limit: Int64) {
        if desk.inbox.hasAny { serveRequests(until: limit) }
        guard isOpen else { return }
        instance.state?.maintain(untilNanoseconds: limit, clock: clock)
    }

    override func settleDown(until limit: Int64) throws(JobFailure) {
        if swaps.needsLook { try considerSwap() }
        guard isOpen else { return }
        tendShadow()
        try sweep(until: limit)
        reportProbation()
    }

    // MARK: - After the end

    override func abandon() {
        desk.close("operator '\(node)' has ended")
        endShadow()
        swaps.close("operator '\(node)' has ended: its input has, or the job stops")
        guard isOpen else { return }
        isOpen = false
        giveUpCalls()
        closeEarlier()
        // The job was aborted or has failed before: what goes wrong now changes nothing.
        do {
            let now = clock.wallMicroseconds()
            try instance.close(watermark: appliedWatermark, nowMicroseconds: now)
        } catch {
            return
        }
    }

    override func flush() throws(JobFailure) -> Bool {
        var hadAny = false
        for port in ports where try port.flush() { hadAny = true }
        return hadAny
    }

    override func requestStop() { instance.requestStop() }

    /// Destroys the plugin's instance.
    ///
    /// After the task thread has ended; counters can still be read.
    func destroy() {
        instance.destroy()
        earlier?.instance.destroy()
    }

    /// Timers that are armed.
    var armedTimerCount: Int {
        (instance.state?.timerCount(.processing) ?? 0) + (instance.state?.timerCount(.event) ?? 0)
    }

    /// The plugin's own counters.
    var pluginCounters: [(name: String, value: UInt64)] {
        var left = retiredCounters
        let own = instance.counters.map { counter in
            (counter.name, counter.value &+ (left.removeValue(forKey: counter.name) ?? 0))
        }
        return own + left.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    private func reportState() {
        guard let state = instance.state else { return }
        counters.setState(keyCount: state.keyCount, byteCount: state.totalByteCount)
    }

    private func fail(_ error: PluginError) -> JobFailure {
        JobFailure(.plugin, node: node, error.description)
    }
}
