/// When a job takes checkpoints and what becomes of each: decides, and does nothing itself.
///
/// One attempt at a time: begin → barrier → reports of all subtasks → commit → delivery.  An
/// attempt
/// that fails anywhere before its commit is abandoned, and the job runs on; what its sinks sealed
/// belongs to the next one.  At the end, when all threads are done or the job is to stop, comes a
/// last attempt; then the threads are released.
///
/// The owner feeds events in and carries the effects out, in order; what an effect leads to comes
/// back as an event.  Times are monotonic nanoseconds.
struct CheckpointProtocol {
    /// How often, and how patiently.
    struct Policy: Equatable, Sendable {
        /// From the start of one attempt to the start of the next.
        var interval: Int64
        /// From the end of one attempt to the start of the next, at least.
        var minPause: Int64
        /// An attempt that takes longer is abandoned.
        var timeout: Int64
        /// How many attempts in a row may fail; nil for any number.
        var tolerableFailureCount: Int?
        /// How long the end of the job waits for its output to be delivered.
        var deliveryPatience: Int64
    }

    /// What has happened.
    enum Event: Equatable, Sendable {
        /// Time has passed, perhaps.
        case tick
        /// The attempt has its folder.
        case begun(UInt64)
        /// A subtask has done its part.
        case reported(UInt64, SubtaskID)
        /// A subtask cannot do its part.
        case declined(UInt64, String)
        /// The checkpoint is on the disk.
        case committed(UInt64, isFinal: Bool)
        /// The attempt could not begin or be committed.
        case failed(UInt64, String)
        /// All output of complete checkpoints is where it belongs.
        case delivered
        /// Some output is not.
        case notDelivered(String, isRetryable: Bool)
        /// A thread has nothing more to do.
        case threadEnded
        /// The job is to end with a checkpoint.
        case stopRequested
        /// Somebody wants a checkpoint of what is from now on, and has given the wish a number.
        case requested(UInt64)
    }

    /// What is to be done.
    enum Effect: Equatable, Sendable {
        /// Make the attempt's folder; then `begun` or `failed`.
        case begin(UInt64)
        /// Have the sources send the barrier.
        case inject(UInt64, isLast: Bool)
        /// Write the checkpoint; then `committed` or `failed`.
        case commit(UInt64)
        /// Drop the attempt.
        case abandon(UInt64, String)
        /// Deliver what complete checkpoints hold; then `delivered` or `notDelivered`.
        case deliver
        /// Delete what no kept checkpoint needs.
        case collectGarbage
        /// Tell those who wished for it that this checkpoint is complete, before any is collected.
        case grant([UInt64], checkpoint: UInt64)
        /// Tell those who wished for a checkpoint why there is none.
        case refuse([UInt64], String)
        /// Tell the user.
        case warn(String)
        /// Let the threads go: the job is done.
        case release
        /// Make the job fail.
        case fail(String)
    }

    /// How often a checkpoint at the end of the job is tried.
    static let lastAttemptCountMax = 5
    /// Pause before such an attempt is repeated.
    static let lastAttemptPause: Int64 = 1_000_000_000
    /// Pauses between deliveries that fail: from the first to the longest, doubled each time.
    static let deliveryPauses: ClosedRange<Int64> = 100_000_000...10_000_000_000

    private enum Phase: Equatable {
        case idle(nextAt: Int64)
        case beginning(UInt64, startedAt: Int64)
        case collecting(UInt64, startedAt: Int64, isLast: Bool)
        case committing(UInt64, startedAt: Int64, isLast: Bool)
        /// The last checkpoint is complete; what it holds is being delivered.
        case finishing(since: Int64)
        case over
    }

    private let policy: Policy
    private let subtasks: [SubtaskID]
    private let threadCount: Int
    private var phase: Phase
    private var nextNumber: UInt64
    private var missing: Set<SubtaskID> = []
    private var endedThreadCount = 0
    private var isStopping = false
    private var failureCount = 0
    private var lastComplete: UInt64?
    private var isFinalComplete = false
    /// When to try the delivery again; nil when nothing waits.
    private var nextDeliveryAt: Int64?
    private var deliveryPause: Int64?
    /// Wishes for which the attempt under way is too early.
    private var waiting: [UInt64] = []
    /// Wishes that the attempt under way fulfils.
    private var served: [UInt64] = []

    /// Creates the protocol of a job.
    ///
    /// - Parameters:
    ///   - policy: How often.
    ///   - subtasks: All that report.
    ///   - threadCount: How many threads end.
    ///   - nextNumber: The number of the first attempt.
    ///   - lastComplete: The checkpoint that the job was restored from.
    ///   - now: The time.
    init(
        policy: Policy,
        subtasks: [SubtaskID],
        threadCount: Int,
        nextNumber: UInt64,
        lastComplete: UInt64?,
        now: Int64
    ) {
        self.policy = policy
        self.subtasks = subtasks
        self.threadCount = threadCount
        self.nextNumber = nextNumber
        self.lastComplete = lastComplete
        phase = .idle(nextAt: Self.later(now, policy.interval))
    }

    /// Whether nothing will ever be to do again.
    var isOver: Bool { phase == .over }

    /// Whether the last checkpoint is complete, and what it holds is being delivered.
    var isFinishing: Bool { if case .finishing = phase { true } else { false } }

    /// The attempt under way.
    var current: UInt64? {
        switch phase {
        case .beginning(let number, _), .collecting(let number, _, _),
            .committing(let number, _, _):
            number
        case .idle, .finishing, .over: nil
        }
    }

    /// When a `tick` is due at the latest; `Int64.max` for never.
    var nextTickAt: Int64 {
        var next = nextDeliveryAt ?? .max
        switch phase {
        case .idle(let nextAt): if !isFinalComplete { next = min(next, nextAt) }
        case .collecting(_, let startedAt, _):
            next = min(next, Self.later(startedAt, policy.timeout))
        case .beginning, .committing, .finishing, .over: break
        }
        return next
    }

    // MARK: - Events

    /// Takes an event.
    ///
    /// - Returns: What is to be done, in order.
    mutating func step(_ event: Event, now: Int64) -> [Effect] {
        if phase == .over {
            guard case .requested(let wish) = event else { return [] }
            return [.refuse([wish], Self.ended)]
        }
        switch event {
        case .tick: return tick(now)
        case .begun(let number): return begun(number)
        case .reported(let number, let subtask): return reported(number, subtask)
        case .declined(let number, let reason): return declined(number, reason, now)
        case .committed(let number, let isFinal): return committed(number, isFinal, now)
        case .failed(let number, let reason): return failed(number, reason, now)
        case .delivered: return delivered()
        case .notDelivered(let reason, let isRetryable):
            return notDelivered(reason, isRetryable, now)
        case .threadEnded:
            endedThreadCount += 1
            return haveAllEnded ? hasten(now) : []
        case .stopRequested:
            guard !isStopping else { return [] }
            isStopping = true
            return hasten(now)
        case .requested(let wish): return requested(wish, now)
        }
    }

    private var haveAllEnded: Bool { endedThreadCount == threadCount }
    /// Whether the next attempt is the last one, and nobody waits for an interval.
    private var isAtEnd: Bool { haveAllEnded || isStopping }

    private mutating func tick(_ now: Int64) -> [Effect] {
        var effects: [Effect] = []
        if let nextDeliveryAt, now >= nextDeliveryAt {
            self.nextDeliveryAt = nil
            effects.append(.deliver)
        }
        switch phase {
        case .idle(let nextAt):
            if isFinalComplete {
                if isAtEnd { effects += finish(now) }
            } else if now >= nextAt {
                phase = .beginning(nextNumber, startedAt: now)
                (served, waiting) = (waiting, [])
                effects.append(.begin(nextNumber))
                nextNumber += 1
            }
        case .collecting(let number, let startedAt, let isLast):
            guard now >= Self.later(startedAt, policy.timeout) else { break }
            let names = missing.sorted().prefix(4).map(\.description).joined(separator: ", ")
            let rest = missing.count > 4 ? " and \(missing.count - 4) more" : ""
            let reason = "timed out: no word from \(names)\(rest)"
            effects += abandon(number, reason, startedAt, wasLast: isLast, now)
        case .beginning, .committing, .finishing, .over: break
        }
        return effects
    }

    /// The end is near: what is left to do is done at once.
    private mutating func hasten(_ now: Int64) -> [Effect] {
        guard isAtEnd else { return [] }
        if case .idle = phase {
            failureCount = 0
            phase = .idle(nextAt: now)
        }
        return tick(now)
    }

    private mutating func begun(_ number: UInt64) -> [Effect] {
        guard case .beginning(number, let startedAt) = phase else { return [] }
        missing = Set(subtasks)
        phase = .collecting(number, startedAt: startedAt, isLast: isStopping)
        return [.inject(number, isLast: isStopping)]
    }

    private mutating func reported(_ number: UInt64, _ subtask: SubtaskID) -> [Effect] {
        guard case .collecting(number, let startedAt, let isLast) = phase else { return [] }
        missing.remove(subtask)
        guard missing.isEmpty else { return [] }
        phase = .committing(number, startedAt: startedAt, isLast: isLast)
        return [.commit(number)]
    }

    private mutating func declined(
        _ number: UInt64,
        _ reason: String,
        _ now: Int64
    ) -> [Effect] {
        guard case .collecting(number, let startedAt, let isLast) = phase else { return [] }
        return abandon(number, reason, startedAt, wasLast: isLast, now)
    }

    private mutating func failed(_ number: UInt64, _ reason: String, _ now: Int64) -> [Effect] {
        switch phase {
        case .beginning(number, let startedAt):
            return abandon(number, reason, startedAt, wasLast: false, now)
        case .committing(number, let startedAt, let isLast):
            return abandon(number, reason, startedAt, wasLast: isLast, now)
        case .idle, .beginning, .collecting, .committing, .finishing, .over: return []
        }
    }

    private mutating func committed(
        _ number: UInt64,
        _ isFinal: Bool,
        _ now: Int64
    ) -> [Effect] {
        guard case .committing(number, let startedAt, let isLast) = phase else { return [] }
        failureCount = 0
        lastComplete = number
        isFinalComplete = isFinal
        nextDeliveryAt = nil
        var granted = served
        served = []
        if isLast || isFinal {
            // Nothing changes behind this one.
            granted += waiting
            waiting = []
        }
        phase =
            isLast || (isFinal && haveAllEnded)
            ? .finishing(since: now) : .idle(nextAt: nextStart(after: startedAt, now))
        let grants: [Effect] = granted.isEmpty ? [] : [.grant(granted, checkpoint: number)]
        return grants + [.deliver, .collectGarbage]
    }

    // MARK: - Wishes

    /// A wish is fulfilled by a checkpoint whose barrier is sent after it.
    private mutating func requested(_ wish: UInt64, _ now: Int64) -> [Effect] {
        switch phase {
        case .idle:
            if isFinalComplete, let lastComplete {
                return [.grant([wish], checkpoint: lastComplete)]
            }
            waiting.append(wish)
            phase = .idle(nextAt: now)
            return tick(now)
        case .beginning:
            served.append(wish)
        case .collecting, .committing:
            waiting.append(wish)
        case .finishing:
            guard let lastComplete else { return [.refuse([wish], Self.ended)] }
            return [.grant([wish], checkpoint: lastComplete)]
        case .over:
            return [.refuse([wish], Self.ended)]
        }
        return []
    }

    private static let ended = "the job has ended"

    private mutating func refuseAll(_ reason: String) -> [Effect] {
        defer { (served, waiting) = ([], []) }
        return served.isEmpty && waiting.isEmpty ? [] : [.refuse(served + waiting, reason)]
    }

    // MARK: - Delivery

    private mutating func delivered() -> [Effect] {
        let hadFailed = deliveryPause != nil
        deliveryPause = nil
        nextDeliveryAt = nil
        var effects: [Effect] = hadFailed ? [.warn("output is delivered again")] : []
        if case .finishing = phase { effects += over() }
        return effects
    }

    private mutating func notDelivered(
        _ reason: String,
        _ isRetryable: Bool,
        _ now: Int64
    ) -> [Effect] {
        guard isRetryable else {
            return fail("its output cannot be delivered: \(reason); " + Self.kept(lastComplete))
        }
        if case .finishing(let since) = phase, now >= Self.later(since, policy.deliveryPatience) {
            return fail("its output is not delivered: \(reason); " + Self.kept(lastComplete))
        }
        let pause = deliveryPause ?? Self.deliveryPauses.lowerBound
        nextDeliveryAt = Self.later(now, pause)
        defer { deliveryPause = min(pause * 2, Self.deliveryPauses.upperBound) }
        guard deliveryPause == nil else { return [] }
        return [.warn("output cannot be delivered, tried again and again: \(reason)")]
    }

    // MARK: - The end

    /// Everything is in a checkpoint: what is left is its delivery.
    private mutating func finish(_ now: Int64) -> [Effect] {
        phase = .finishing(since: now)
        return deliveryPause == nil ? over() : []
    }

    private mutating func over() -> [Effect] {
        phase = .over
        return refuseAll(Self.ended) + [.release]
    }

    private mutating func fail(_ reason: String) -> [Effect] {
        phase = .over
        return refuseAll(reason) + [.fail(reason)]
    }

    private mutating func abandon(
        _ number: UInt64,
        _ reason: String,
        _ startedAt: Int64,
        wasLast: Bool,
        _ now: Int64
    ) -> [Effect] {
        failureCount += 1
        missing = []
        var effects: [Effect] = [.abandon(number, reason)]
        if wasLast {
            // The sources have ended behind the barrier: there is no second try.
            let text = "the last checkpoint failed: \(reason); "
            return effects + fail(text + Self.kept(lastComplete))
        }
        let limit = isAtEnd ? Self.lastAttemptCountMax - 1 : Int.max
        let tolerable = min(policy.tolerableFailureCount ?? .max, limit)
        guard failureCount <= tolerable else {
            let count = failureCount == 1 ? "a checkpoint" : "\(failureCount) checkpoints in a row"
            return effects + fail("\(count) failed: \(reason); " + Self.kept(lastComplete))
        }
        effects.append(.warn("checkpoint \(number) is abandoned: \(reason)"))
        if !served.isEmpty {
            effects.append(.refuse(served, "checkpoint \(number) is abandoned: \(reason)"))
            served = []
        }
        phase = .idle(
            nextAt: isAtEnd
                ? Self.later(now, Self.lastAttemptPause) : nextStart(after: startedAt, now)
        )
        return effects
    }

    private func nextStart(after startedAt: Int64, _ now: Int64) -> Int64 {
        if isAtEnd || !waiting.isEmpty { return now }
        return max(Self.later(startedAt, policy.interval), Self.later(now, policy.minPause))
    }

    private static func kept(_ number: UInt64?) -> String {
        guard let number else {
            return "there is no complete checkpoint, the job would start from the beginning"
        }
        return "checkpoint \(number) is complete, the job continues from it"
    }

    private static func later(_ time: Int64, _ duration: Int64) -> Int64 {
        let (sum, isTooLarge) = time.addingReportingOverflow(duration)
        return isTooLarge ? .max : sum
    }
}
