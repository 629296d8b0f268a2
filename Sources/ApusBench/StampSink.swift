import ApusCore
import ApusMemory
import Synchronization

/// Compares when records come out with when they were due.
///
/// A record's value has the time at which it was due in monotonic nanoseconds, 0 for none, and the
/// length of what its key held before; 8 bytes each, little-endian.
final class StampSink: RecordSink {
    private let results: StampResults
    private let clock: any Clock
    private var histogram = Histogram()
    private var marked = Histogram()
    private var timeline = LatencyTimeline()

    init(_ results: StampResults, clock: any Clock) {
        self.results = results
        self.clock = clock
    }

    // doc: inherited
    func write(_ batch: RecordBatch) throws(EndpointError) {
        let now = clock.monotonicNanoseconds()
        let from = results.measureFrom
        let isMarked = results.isMarked
        var scheduledCount = 0
        var strangerCount = 0
        for index in 0..<batch.count {
            let value = batch.bytes(of: batch.values + index)
            guard value.count == 16 else {
                throw EndpointError("expected values of 16 bytes, found \(value.count)")
            }
            // SAFETY: the value has 16 bytes.
            let due = Int64(littleEndian: value.loadUnaligned(as: Int64.self))
            guard due != 0 else { continue }
            scheduledCount += 1
            if value.loadUnaligned(fromByteOffset: 8, as: UInt64.self) == 0 { strangerCount += 1 }
            guard due >= from else { continue }
            histogram.add(nanoseconds: now - due)
            timeline.add(latency: now - due, at: due - from)
            if isMarked { marked.add(nanoseconds: now - due) }
        }
        if scheduledCount > 0 {
            results.add(scheduledCount: scheduledCount, strangerCount: strangerCount, now: now)
        }
    }

    // doc: inherited
    func flush() throws(EndpointError) {}

    // doc: inherited
    func close() throws(EndpointError) { results.add(histogram, marked, timeline) }
}

/// What the ``StampSink``s of a job have seen.
final class StampResults: Sendable {
    private struct Found {
        var histogram = Histogram()
        var marked = Histogram()
        var timeline = LatencyTimeline()
    }

    private let found: Mutex<Found> = Mutex(Found())
    private let marking: Atomic<Bool> = Atomic(false)
    private let scheduledCell: Atomic<Int> = Atomic(0)
    private let strangerCell: Atomic<Int> = Atomic(0)
    private let firstCell: Atomic<Int64> = Atomic(0)
    private let fromCell: Atomic<Int64> = Atomic(.max)

    /// Records that are due earlier do not count in ``latencies``.
    var measureFrom: Int64 { fromCell.load(ordering: .relaxed) }

    /// Counts latencies of records that are due from now on.
    func measure(from nanoseconds: Int64) { fromCell.store(nanoseconds, ordering: .relaxed) }

    /// Whether records that come out now are marked.
    var isMarked: Bool { marking.load(ordering: .relaxed) }

    /// Begins or ends to mark records.
    func mark(_ isMarked: Bool) { marking.store(isMarked, ordering: .relaxed) }

    /// How many records that were due at some time have come out.
    var scheduledCount: Int { scheduledCell.load(ordering: .acquiring) }

    /// How many of these had a key without state.
    var strangerCount: Int { strangerCell.load(ordering: .relaxed) }

    /// When the first of these came out; nil when none has.
    var firstAt: Int64? {
        let first = firstCell.load(ordering: .acquiring)
        return first == 0 ? nil : first
    }

    /// The latencies, once the job has ended.
    var latencies: Histogram { found.withLock { $0.histogram } }

    /// Those of them that came out while they were marked.
    var markedLatencies: Histogram { found.withLock { $0.marked } }

    /// When they were long; it begins where ``measure(from:)`` says.
    var timeline: LatencyTimeline { found.withLock { $0.timeline } }

    func add(scheduledCount: Int, strangerCount: Int, now: Int64) {
        if firstCell.load(ordering: .relaxed) == 0 {
            _ = firstCell.compareExchange(expected: 0, desired: now, ordering: .releasing)
        }
        if strangerCount > 0 { strangerCell.add(strangerCount, ordering: .relaxed) }
        scheduledCell.add(scheduledCount, ordering: .releasing)
    }

    func add(_ part: Histogram, _ marked: Histogram, _ timeline: LatencyTimeline) {
        found.withLock { found in
            found.histogram.add(part)
            found.marked.add(marked)
            found.timeline.add(timeline)
        }
    }
}
