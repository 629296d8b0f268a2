import ApusCore
import ApusMemory
import ApusPluginHost
import ApusSwap

/// A swap of one or several operators of a running job: prepared, and then carried out.
///
/// Made by ``JobRun/prepareSwap(_:isAtBarrier:policy:)``; one thread of the control plane uses it.
/// Its waits return when there is something to tell, at the latest at their deadlines.
package final class OperatorSwap: @unchecked Sendable {
    // @unchecked because the parts of the plan never change; what subtasks tell is atomic.

    /// How the cut went.
    package enum Outcome: Sendable {
        /// The new versions are in force everywhere.
        case inForce(Figures)
        /// The old versions go on as if nothing had been; why.
        case abandoned(String)
        /// Some subtasks have switched and others cannot; why.
        case broken(String)
    }

    /// How long it took.
    package struct Figures: Sendable, Equatable {
        /// From the order until the last subtask had switched, in nanoseconds.
        package var inForceNanoseconds: Int64
        /// The longest that a task thread has spent on the switch itself, in nanoseconds.
        package var longestSwitchNanoseconds: Int64
        /// The checkpoint whose barrier was the cut; nil for a cut at batch boundaries.
        package var barrier: UInt64?
        /// Event time at the cut, in microseconds: the least and the most over all subtasks; nil
        /// for none.
        package var watermarkMicroseconds: ClosedRange<Int64>?
    }

    /// An operator and what its subtasks are told.
    struct Part {
        let replacement: OperatorReplacement
        let version: OperatorVersion
        let desks: [SwapDesk]
        let swaps: [SubtaskSwap]
        /// The sequence of the version before.
        let before: Int
    }

    /// Whether it is cut at a barrier.
    package let isAtBarrier: Bool
    private let parts: [Part]
    private let go: SwapSignal
    private let run: JobRun
    private let policy: BadValuePolicy

    init(
        _ parts: [Part],
        isAtBarrier: Bool,
        policy: BadValuePolicy,
        go: SwapSignal,
        run: JobRun
    ) {
        self.parts = parts
        self.isAtBarrier = isAtBarrier
        self.policy = policy
        self.go = go
        self.run = run
    }

    // MARK: - The cut

    /// Carries the swap out.
    ///
    /// Once.
    ///
    /// - Parameters:
    ///   - nanoseconds: How long it may take until all subtasks are ready; after that nothing
    ///     has happened.
    ///   - holdsOutput: Whether output from the cut on is not delivered, for a cut at a barrier.
    /// - Returns: How it went.
    package func carryOut(within nanoseconds: Int64, holdsOutput: Bool = false) -> Outcome {
        let clock = run.environment.clock
        let deadline = clock.monotonicNanoseconds() &+ nanoseconds
        let begin = clock.monotonicNanoseconds()
        for part in parts {
            for (desk, swap) in zip(part.desks, part.swaps) { desk.post(swap) }
        }
        run.wakeThreads()
        wait(until: deadline) { !all.contains { $0.phase == .posted } }
        if let failed = all.first(where: { $0.phase == .failed }) {
            return abandon(failed.failure ?? "a subtask has refused")
        }
        guard !all.contains(where: { $0.phase == .posted }) else {
            return abandon(
                "\(waiting) did not come to a batch boundary in time: a callback runs, or what is "
                    + "behind the operator takes nothing; wait, or raise --deadline"
            )
        }
        let ordered = isAtBarrier ? clock.monotonicNanoseconds() : begin
        let wish = order(holdsOutput: holdsOutput)
        wait(until: max(deadline, clock.monotonicNanoseconds() + Self.patienceMin)) {
            all.allSatisfy { $0.phase == .done || $0.phase == .failed }
                || (wish?.refusal != nil)
        }
        return conclude(since: ordered, wish)
    }

    /// How long subtasks have at least when all were ready.
    private static let patienceMin: Int64 = 1_000_000_000

    private func order(holdsOutput: Bool) -> CheckpointWish? {
        guard isAtBarrier else {
            go.set()
            for desk in parts.flatMap(\.desks) { desk.lookAgain() }
            run.wakeThreads()
            return nil
        }
        run.control.wantSwapBarrier(holdsOutput: holdsOutput)
        return run.wishForCheckpoint()
    }

    private func conclude(since begin: Int64, _ wish: CheckpointWish?) -> Outcome {
        if all.allSatisfy({ $0.phase == .done }) {
            return .inForce(
                Figures(
                    inForceNanoseconds: (all.map(\.time.at).max() ?? begin) - begin,
                    longestSwitchNanoseconds: all.map(\.time.tookNanoseconds).max() ?? 0,
                    barrier: isAtBarrier ? run.control.swapBarrier : nil,
                    watermarkMicroseconds: watermarks
                )
            )
        }
        let failure = all.lazy.compactMap(\.failure).first ?? wish?.refusal
        let why = failure ?? "\(waiting) did not switch in time"
        if isAtBarrier { _ = run.control.withdrawSwapBarrier() }
        let isClean = all.allSatisfy { $0.phase == .failed || $0.withdraw() }
        if isClean { return abandon(why) }
        return .broken(why)
    }

    private var watermarks: ClosedRange<Int64>? {
        let all = all.map(\.watermark).filter { $0 != .min }
        guard let least = all.min(), let most = all.max() else { return nil }
        return least...most
    }

    /// Gives up what was prepared; instead of carrying it out.
    package func discard() { _ = abandon("") }

    private func abandon(_ reason: String) -> Outcome {
        for part in parts {
            for swap in part.swaps { _ = swap.withdraw() }
            for desk in part.desks { desk.clear() }
            run.versions.goBack(part.replacement.id, to: part.before)
        }
        if isAtBarrier { run.control.limitDelivery(to: .max) }
        return .abandoned(reason)
    }

    /// The subtasks that have not answered.
    private var waiting: String {
        let names = parts.flatMap { part in
            part.swaps.enumerated().filter { $1.phase == .posted || $1.phase == .seen }
                .map { "\(part.replacement.id)[\($0.offset)]" }
        }
        return names.joined(separator: ", ")
    }

    private var all: [SubtaskSwap] { parts.flatMap(\.swaps) }

    private func wait(until deadline: Int64, _ isReady: () -> Bool) {
        let clock = run.environment.clock
        while !isReady(), !run.hasEnded {
            let left = deadline - clock.monotonicNanoseconds()
            guard left > 0 else { return }
            go.bell.sleep(nanoseconds: min(left, Self.sleepLimit), unless: isReady)
        }
    }

    /// A net under the bell.
    private static let sleepLimit: Int64 = 5_000_000

    // MARK: - Afterwards

    /// Whether the new versions have been called since the cut.
    package var wasCalled: Bool { parts.flatMap(\.desks).contains { $0.callCount > 0 } }

    /// What the new versions have shown since the cut.
    package var probation: ProbationRecord {
        ProbationRecord(parts.flatMap { part in part.desks.map { (part.replacement.id, $0) } })
    }

    /// The operators, and what takes over.
    package var replacements: [OperatorReplacement] { parts.map(\.replacement) }

    /// Whether rows of older versions are left.
    package var isMigrating: Bool { parts.flatMap(\.desks).contains { $0.originKeyCount > 0 } }

    /// Lets the old versions take over again.
    ///
    /// - Parameters:
    ///   - nanoseconds: How long it may take.
    ///   - isForced: Whether what the new versions have written is kept and brought back to the old
    ///     ones; without, it is only done when they were not called yet.
    /// - Returns: ``Outcome/inForce(_:)`` when the old versions are in force everywhere.
    package func goBack(within nanoseconds: Int64, isForced: Bool) -> Outcome {
        guard isForced || !wasCalled else { return .broken("the new version was called already") }
        let go = SwapSignal()
        let begin = run.environment.clock.monotonicNanoseconds()
        let back = parts.map { part -> Part in
            let swaps = part.swaps.indices.map { subtask -> SubtaskSwap in
                var step: StateMigration.Step?
                if isForced, !part.replacement.change.keepsRows {
                    do throws(PluginError) {
                        step = try part.replacement.change.step(
                            by: part.replacement.implementation,
                            owner: "operator \(part.replacement.id), subtask \(subtask)",
                            isBack: true
                        )
                    } catch {
                        run.environment.notify(error.description)
                    }
                }
                return SubtaskSwap(
                    .back(step),
                    sequence: 0,
                    cut: .boundary,
                    policy: policy,
                    go: go
                )
            }
            return Part(
                replacement: part.replacement,
                version: part.version,
                desks: part.desks,
                swaps: swaps,
                before: part.before
            )
        }
        let reverse = OperatorSwap(back, isAtBarrier: false, policy: policy, go: go, run: run)
        var outcome = reverse.carryOut(within: nanoseconds)
        if case .inForce(var figures) = outcome {
            for part in parts { run.versions.goBack(part.replacement.id, to: part.before) }
            figures.inForceNanoseconds =
                run.environment.clock.monotonicNanoseconds() - begin
            outcome = .inForce(figures)
        }
        return outcome
    }

    /// Gives the old versions up.
    package func commit() {
        let go = SwapSignal()
        for part in parts {
            for desk in part.desks {
                let swap = SubtaskSwap(
                    .commit,
                    sequence: part.version.sequence,
                    cut: .boundary,
                    policy: policy,
                    go: go
                )
                desk.post(swap)
            }
        }
        go.set()
        run.wakeThreads()
    }
}

extension CheckpointWish {
    /// Why it was refused; nil when it was not, or not yet.
    var refusal: String? {
        if case .refused(let reason) = wait(nanoseconds: 0) { return reason }
        return nil
    }
}
