import Synchronization

/// What is known of one attempt at a checkpoint.
package struct CheckpointStatistics: Equatable, Sendable {
    /// What became of it.
    package enum Outcome: Equatable, Sendable {
        /// It can be gone on from.
        case complete
        /// It was given up, for this reason.
        case abandoned(String)
    }

    /// Its number.
    package let number: UInt64
    /// What became of it.
    package let outcome: Outcome
    /// From the barrier to the end, in nanoseconds.
    package let durationNanoseconds: Int64
    /// The longest that a task thread worked for it in one pass of its loop, in nanoseconds.
    package let longestPauseNanoseconds: Int64
    /// The longest that a stage waited for barriers, in nanoseconds.
    package let alignmentNanoseconds: Int64
    /// Bytes that earlier checkpoints did not have.
    package let newByteCount: Int
    /// Bytes of all its files.
    package let totalByteCount: Int
    /// Whether its barrier overtook records.
    package let isUnaligned: Bool
    /// Whether all input had ended.
    package let isFinal: Bool
}

/// All attempts of a job together.
package struct CheckpointTotals: Equatable, Sendable {
    /// How many are complete.
    package internal(set) var completeCount = 0
    /// How many were given up.
    package internal(set) var abandonedCount = 0
    /// The newest complete one, the one that the job went on from included; nil for none.
    package internal(set) var lastComplete: UInt64?
    /// The longest that a task thread ever worked for one in one pass of its loop, in nanoseconds.
    package internal(set) var longestPauseNanoseconds: Int64 = 0
    /// Epochs' logs that are complete and not where they belong.
    package internal(set) var undeliveredCount = 0
}

/// What the checkpoint thread tells others: the last attempts, and totals.
final class CheckpointHistory: Sendable {
    private static let keptCount = 100

    private struct State {
        var attempts: [CheckpointStatistics] = []
        var totals = CheckpointTotals()
    }

    private let state: Mutex<State>

    init(lastComplete: UInt64?) {
        state = Mutex(State(totals: CheckpointTotals(lastComplete: lastComplete)))
    }

    /// Notes an attempt that has ended.
    func add(_ attempt: CheckpointStatistics) {
        state.withLock { state in
            if state.attempts.count == Self.keptCount { state.attempts.removeFirst() }
            state.attempts.append(attempt)
            state.totals.longestPauseNanoseconds = max(
                state.totals.longestPauseNanoseconds,
                attempt.longestPauseNanoseconds
            )
            switch attempt.outcome {
            case .complete:
                state.totals.completeCount += 1
                state.totals.lastComplete = attempt.number
            case .abandoned:
                state.totals.abandonedCount += 1
            }
        }
    }

    /// Notes how much output waits.
    func setUndelivered(_ count: Int) {
        state.withLock { $0.totals.undeliveredCount = count }
    }

    /// The last 100 attempts, oldest first.
    var attempts: [CheckpointStatistics] { state.withLock { $0.attempts } }

    /// The sums over all attempts.
    var totals: CheckpointTotals { state.withLock { $0.totals } }
}
