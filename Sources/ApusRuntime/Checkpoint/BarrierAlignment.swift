import ApusMemory

/// Which of a stage's channels have brought the barrier, and what follows from it.
final class BarrierAlignment {
    /// What a barrier makes a stage do.
    enum Phase {
        /// Nothing: no barrier is under way here.
        case passing
        /// Channels that have brought the barrier wait for the others.
        case aligning
        /// The stage went on without waiting: what still comes from the others is logged.
        case logging
    }

    private(set) var phase = Phase.passing
    /// The newest barrier that the stage has seen.
    private(set) var number: UInt64 = 0
    private(set) var startedAt: Int64 = 0
    private(set) var isUnaligned = false
    var stash = BarrierStash()
    var log: InFlightLog?
    private var barriers: [UInt64]
    private var hasEnded: [Bool]
    /// Channels whose records go to all subtasks of the stage.
    private var broadcastChannels: [Int] = []

    init(channelCount: Int) {
        barriers = Array(repeating: 0, count: channelCount)
        hasEnded = Array(repeating: false, count: channelCount)
    }

    /// Notes that a channel is one of a broadcast input.
    ///
    /// Before the stage runs.
    func noteBroadcast(channel: Int) { broadcastChannels.append(channel) }

    /// Whether the barrier may overtake what is missing: never records of broadcast inputs, of
    /// which all subtasks must have seen the same at their snapshots.
    var mayOvertake: Bool {
        broadcastChannels.allSatisfy { hasEnded[$0] || barriers[$0] >= number }
    }

    /// Notes a channel's barrier.
    func note(_ number: UInt64, channel: Int) { barriers[channel] = number }

    /// Notes a channel's end: nothing of it can be behind any later barrier.
    func noteEnd(channel: Int) { hasEnded[channel] = true }

    /// Whether what a channel brings now is behind the barrier.
    func hasPassed(_ channel: Int) -> Bool { barriers[channel] >= number }

    /// Whether nothing in front of the barrier can come any more.
    var isComplete: Bool {
        barriers.indices.allSatisfy { hasEnded[$0] || barriers[$0] >= number }
    }

    /// Begins to wait for a barrier.
    func begin(_ number: UInt64, now: Int64) {
        self.number = number
        startedAt = now
        isUnaligned = false
        phase = .aligning
    }

    /// Goes on without waiting for the rest.
    func stopWaiting() {
        isUnaligned = true
        phase = .logging
    }

    /// Ends the work on the barrier.
    func end() {
        phase = .passing
        log = nil
    }
}
