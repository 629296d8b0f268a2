import ApusCore

/// What the sources and stages of one task thread need for checkpoints.
///
/// The task thread's, once it runs.
final class ThreadCheckpoints {
    /// A stage that waits for barriers keeps at most so much of what comes behind them.
    static let stashByteCountMax = 32 << 20

    let mailbox: CheckpointMailbox
    let clock: any Clock
    let disk: any Disk
    /// How long a stage waits for the barriers of its other channels; nil for as long as it takes.
    let alignmentTimeout: Int64?
    /// Where records that a barrier overtakes are written.
    let inFlightDirectory: String
    let meter = PauseMeter()

    init(
        mailbox: CheckpointMailbox,
        clock: any Clock,
        disk: any Disk,
        alignmentTimeout: Int64?,
        inFlightDirectory: String
    ) {
        self.mailbox = mailbox
        self.clock = clock
        self.disk = disk
        self.alignmentTimeout = alignmentTimeout
        self.inFlightDirectory = inFlightDirectory
    }

    /// Does a step of a checkpoint and measures it.
    func measure<Failure>(_ body: () throws(Failure) -> Void) throws(Failure) {
        let start = clock.monotonicNanoseconds()
        try body()
        meter.add(nanoseconds: clock.monotonicNanoseconds() - start)
    }
}
