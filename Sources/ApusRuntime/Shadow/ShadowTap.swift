import ApusMemory
import ApusPluginHost
import ApusState

/// Tells a shadow what an operator is called with and what it writes; the task thread's.
///
/// Between ``begin(_:watermark:)`` and ``end()`` is one call of the stage, of whatever kind; see
/// docs/decisions/2026-11-28-shadow-run.md for how keys are copied.
final class ShadowTap {
    private let feed: ShadowFeed
    private let isKeyed: Bool
    /// The hashes of keys that were copied, or had nothing when they were met first.
    private var known: Set<UInt64> = []
    /// How far the walk for keys with timers is; nil when it is done.
    private var walk: Int? = 0

    // The step in hand.
    private var what: ShadowStep.What?
    private var input = 0
    private var now: Int64 = 0
    private var watermark = Int64.min
    private var images = ShadowWriter()
    private var imageCount = 0
    private var records = ShadowWriter()
    private var recordCount = 0
    private var outputs = ShadowWriter()
    private var outputCount = 0

    /// Begins with what is not filed under keys.
    init(_ feed: ShadowFeed, isKeyed: Bool, fork: ShadowFork) {
        self.feed = feed
        self.isKeyed = isKeyed
        feed.post(ShadowWriter.message(fork))
    }

    /// Whether nobody listens any more.
    var isOver: Bool { feed.isClosed }

    /// There is nothing more.
    func close() { feed.close() }

    // MARK: - A step

    func begin(_ what: ShadowStep.What, watermark: Int64) {
        self.what = what
        self.watermark = watermark
    }

    /// Notes records that the operator is about to get, and copies their keys.
    func note(_ batch: RecordBatch, input: Int, state: KeyedState?) {
        self.input = input
        records.add(records: batch, isKeyed: isKeyed && state != nil)
        recordCount += batch.count
        guard let state else { return }
        add(state.images(of: batch) { known.insert($0).inserted })
    }

    /// Notes the time that the operator is shown.
    func note(now: Int64) { self.now = now }

    /// Copies the keys of timers that the operator is about to get, as they were with them.
    func note(_ timers: TimerBatch, _ domain: KeyedState.TimerDomain, state: KeyedState) {
        add(state.images(of: timers, domain) { known.insert($0).inserted })
    }

    /// Notes what the operator has written.
    func note(_ batch: RecordBatch, output: Int) {
        guard what != nil else { return }
        ShadowOutput.bytes(batch, output: output) { outputs.add(counted: $0) }
        outputCount += batch.count
    }

    /// Notes a record that the operator has rejected.
    func note(rejected record: RejectedRecord) {
        guard what != nil else { return }
        outputs.add(counted: ShadowOutput.bytes(record))
        outputCount += 1
    }

    /// Sends the step.
    func end() {
        guard let what else { return }
        self.what = nil
        defer { reset() }
        // Time that goes by without anything to be seen would only wake the other side.
        if what == .processingTime, outputCount == 0, imageCount == 0, !isTick { return }
        send(what)
    }

    /// Processing time that nothing has come of is told no more often than this, in microseconds.
    private static let tickMicroseconds: Int64 = 5_000
    private var lastTick: Int64 = 0

    private var isTick: Bool {
        guard now - lastTick >= Self.tickMicroseconds else { return false }
        lastTick = now
        return true
    }

    private func send(_ what: ShadowStep.What) {
        var step = ShadowWriter()
        step.add(what.rawValue)
        step.add(UInt32(truncatingIfNeeded: input))
        step.add(now)
        step.add(watermark)
        step.add(UInt32(imageCount))
        step.add(raw: images.bytes)
        step.add(UInt32(recordCount))
        step.add(raw: records.bytes)
        step.add(UInt32(outputCount))
        step.add(raw: outputs.bytes)
        feed.post(ShadowWriter.message(.step, step.bytes))
    }

    private func reset() {
        images.reset()
        records.reset()
        outputs.reset()
        (imageCount, recordCount, outputCount, input) = (0, 0, 0, 0)
    }

    // MARK: - Keys with timers

    /// Rows that are looked at in one pass of the thread.
    private static let rowsPerWalk = 256
    /// The walk leaves room for the records.
    private static let waitingByteCountMax = 4 << 20

    /// Copies some more keys that have timers, so that they are there when the new version fires
    /// theirs earlier; between two calls.
    func walkOn(_ state: KeyedState, now: Int64) {
        guard let from = walk, feed.waitingByteCount < Self.waitingByteCountMax else { return }
        let found = state.timerImages(from: from, rowCountMax: Self.rowsPerWalk) {
            known.insert($0).inserted
        }
        walk = found.next
        guard !found.images.isEmpty else { return }
        add(found.images)
        self.now = now
        send(.nothing)
        reset()
    }

    private func add(_ found: [KeyImage]) {
        for image in found { images.add(image) }
        imageCount += found.count
    }
}
