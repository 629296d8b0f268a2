import ApusCore
import ApusState

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
    /// What is left to threads in the background; nil without keyed state on a disk.
    var share: BackgroundShare?
    let meter = PauseMeter()
    /// The thread's stages, while it runs.
    var stages: [Stage] = []
    private var breathesAt: Int64 = 0

    /// How often a stage that works for long without a pause breathes, and for how long, in
    /// nanoseconds.
    private static let breathInterval: Int64 = 1_000_000
    private static let breathLimit: Int64 = 200_000

    init(
        mailbox: CheckpointMailbox,
        clock: any Clock,
        disk: any Disk,
        alignmentTimeout: Int64?,
        inFlightDirectory: String,
        load: BackgroundLoad?
    ) {
        share = load.map { BackgroundShare($0, now: clock.monotonicNanoseconds()) }
        self.mailbox = mailbox
        self.clock = clock
        self.disk = disk
        self.alignmentTimeout = alignmentTimeout
        self.inFlightDirectory = inFlightDirectory
    }

    /// Does what cannot wait until a stage is done with what takes long, such as firing millions of
    /// timers: a part of each snapshot that is under way, room for the stage's rows in memory, and
    /// time for threads in the background.
    ///
    /// Between two callbacks of the stage; costs a look at the clock as a rule.
    func breathe(_ stage: Stage) {
        let now = clock.monotonicNanoseconds()
        guard now >= breathesAt else { return }
        for other in stages {
            _ = other.continueSnapshotWhileWaiting(
                until: clock.monotonicNanoseconds() &+ Self.breathLimit
            )
        }
        stage.maintain(until: clock.monotonicNanoseconds() &+ Self.breathLimit)
        share?.rest(now: clock.monotonicNanoseconds())
        breathesAt = clock.monotonicNanoseconds() &+ Self.breathInterval
    }

    /// Does a step of a checkpoint and measures it.
    func measure<Failure>(_ body: () throws(Failure) -> Void) throws(Failure) {
        let start = clock.monotonicNanoseconds()
        try body()
        meter.add(nanoseconds: clock.monotonicNanoseconds() - start)
    }
}
