import ApusMemory
import ApusState

/// How much of its time a task thread leaves to threads in the background.
///
/// They get what is left of the processors.  A thread that sleeps now and then leaves enough.  One
/// that is busy all the time sleeps on purpose when the background has been late for a while: the
/// later it is, the more.  One task thread.
struct BackgroundShare {
    /// A thread that has slept since, leaves something by itself, in nanoseconds.
    private static let turn: Int64 = 1_000_000
    /// From how long work has waited, in nanoseconds, how much of the time it gets, in percent.
    private static let steps: [(late: Int64, percent: Int64)] = [
        (2_000_000_000, 50), (500_000_000, 15),
    ]

    private let load: BackgroundLoad
    private let bell = Doorbell()
    /// Since when there has been work; nil when there is none.
    private var busySince: Int64?
    /// When the thread last slept.
    private var sleptAt: Int64

    init(_ load: BackgroundLoad, now: Int64) {
        self.load = load
        sleptAt = now
    }

    /// Notes that the thread has slept.
    mutating func noteSleep(now: Int64) { sleptAt = now }

    /// Sleeps if the thread has been busy while the background is late.
    ///
    /// - Parameter now: The time, in monotonic nanoseconds.
    mutating func rest(now: Int64) {
        let nanoseconds = due(now: now)
        // Nobody rings: what comes in meanwhile waits.
        if nanoseconds > 0 { bell.sleep(nanoseconds: nanoseconds) { false } }
    }

    /// How long the thread is to sleep now, in nanoseconds; 0 as a rule.
    mutating func due(now: Int64) -> Int64 {
        let turn = now &- sleptAt
        guard turn >= Self.turn else { return 0 }
        sleptAt = now
        guard load.isBusy else {
            busySince = nil
            return 0
        }
        let since = busySince ?? now
        busySince = since
        guard let step = Self.steps.first(where: { now &- since >= $0.late }) else { return 0 }
        let part = min(turn, 2 * Self.turn) * step.percent / (100 - step.percent)
        sleptAt = now &+ part
        return part
    }
}
