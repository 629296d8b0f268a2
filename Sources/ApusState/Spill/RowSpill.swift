import ApusCore
import ApusStore

/// The rows of a state that memory has no room for and that are used too often to go to the
/// database: the log that has them, the index that finds them, and how far housekeeping has got.
///
/// A row is in one place: in memory, in the log, or in the database alone; the database may have an
/// older form of a row that is elsewhere.  One thread.
final class RowSpill {
    /// A place in the log: the number of a segment, and the offset in it.
    struct Position: Equatable {
        var sequence = 0
        var offset = 0

        /// Whether it lies in front of another one.
        func precedes(_ other: Position) -> Bool {
            (sequence, offset) < (other.sequence, other.offset)
        }
    }

    /// A segment that was brought into memory.
    struct Window {
        // SAFETY: allocated at the first use, a segment long; freed with the spill.
        var memory: UnsafeMutableRawPointer?
        var sequence = -1
        var byteCount = 0
        var location = 0
    }

    let index: SpillIndex
    let log: SpillLog
    /// Counts barriers; rows that are dirty have the number of their epoch.
    private(set) var epoch: UInt32 = 1
    /// The flush in which the last row was captured that has its epoch's number still.
    var captureFlush = 0

    /// What a snapshot has to look through: rows that were spilled in its epoch.
    var captured = Position()
    private(set) var captureEnd = Position()
    private var epochStart = Position()
    var captureWindow = Window()

    /// The log may be so much longer than twice what it holds.
    var slackByteCount = 16 << 20
    /// How far the first segment was collected.
    var collectedByteCount = 0
    var collectWindow = Window()

    /// Whether the log could not take a row when it was last asked.
    private(set) var isFull = false
    private var refusals = 0
    private(set) var reportedByteCount = 0

    /// Asks again after so many refusals.
    private static let refusalsMax = 1 << 14

    /// A spill for a state with a folder for it; nil when its rows have more than values: the
    /// database wakes keys with timers, and has the entries of lists and maps.
    init?(layout: RowLayout, groups: KeyGroups, tier: StateTier) {
        guard let directory = tier.spillDirectory, !layout.slots.isEmpty,
            layout.collectionsOffset == 0, layout.eventTimersOffset == 0,
            layout.processingTimersOffset == 0
        else { return nil }
        index = SpillIndex(groups: groups)
        let name = "rows-\(tier.operatorNumber)-\(tier.groups.lowerBound)"
        log = SpillLog(directory: directory, name: name)
        tier.budget.reserveForSpill()
    }

    /// Frees what is not freed by itself.
    func destroy() {
        index.destroy()
        captureWindow.memory?.deallocate()
        collectWindow.memory?.deallocate()
    }

    /// Notes a barrier: what was spilled since the last one belongs to its snapshot.
    func beginEpoch() {
        epoch += 1
        captured = epochStart
        captureEnd = end
        epochStart = end
    }

    private var end: Position {
        let end = log.end
        return Position(sequence: end.sequence, offset: end.offset)
    }

    /// How much more the index and its buffers use than when it was last asked.
    func reportChange() -> Int {
        var now = index.byteCount + log.byteCount
        if captureWindow.memory != nil { now += SpillLog.segmentByteCount }
        if collectWindow.memory != nil { now += SpillLog.segmentByteCount }
        defer { reportedByteCount = now }
        return now - reportedByteCount
    }

    // MARK: - A full disk

    /// Whether a row may be added; asks again now and then after the disk was full.
    func mayAppend() -> Bool {
        guard isFull else { return true }
        refusals += 1
        guard refusals >= Self.refusalsMax else { return false }
        refusals = 0
        return true
    }

    func noteAppended() { isFull = false }

    func noteRefused() { isFull = true }

    // MARK: - Segments

    /// Brings a segment into a window, unless it is there.
    func load(_ window: inout Window, _ sequence: Int) throws(StoreError) {
        guard window.sequence != sequence else { return }
        let memory =
            window.memory
            ?? UnsafeMutableRawPointer.allocate(
                byteCount: SpillLog.segmentByteCount,
                alignment: 64
            )
        window.memory = memory
        window.sequence = -1
        let segment = try log.read(segment: sequence, into: memory)
        window.byteCount = segment.byteCount
        window.location = segment.location
        window.sequence = sequence
    }
}
