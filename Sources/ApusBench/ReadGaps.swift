import ApusCore
import ApusMemory
import Synchronization

/// The longest time that passed between two reads of a source on each task thread.
///
/// A thread asks its source in each pass of its loop, and sleeps for at most a millisecond while
/// the
/// source has nothing, so whatever keeps the thread shows here: snapshots, eviction, waiting for
/// memory, callbacks, full channels, and other programs on the processor.
final class ReadGaps: Sendable {
    private final class Cell: Sendable {
        let longest: Atomic<Int64> = Atomic(0)
    }

    private let cells: [Cell]
    /// Counts how often measuring began; 0 while it has not.
    private let round: Atomic<Int> = Atomic(0)

    init(subtaskCount: Int) {
        cells = (0..<subtaskCount).map { _ in Cell() }
    }

    /// Forgets what was, and begins to measure.
    func begin() { round.add(1, ordering: .relaxed) }

    /// The longest time since ``begin()``, in nanoseconds.
    var longestNanoseconds: Int64 {
        cells.map { $0.longest.load(ordering: .relaxed) }.max() ?? 0
    }

    /// Wraps the source of a subtask.
    func measure(_ source: any RecordSource, subtask: Int, _ clock: any Clock) -> any RecordSource {
        Metered(source, self, subtask, clock)
    }

    /// A source that is watched.
    private final class Metered: RecordSource {
        private let source: any RecordSource
        private let gaps: ReadGaps
        private let cell: Cell
        private let clock: any Clock
        private var round = 0
        private var last: Int64 = 0
        private var longest: Int64 = 0

        init(_ source: any RecordSource, _ gaps: ReadGaps, _ subtask: Int, _ clock: any Clock) {
            self.source = source
            self.gaps = gaps
            cell = gaps.cells[subtask]
            self.clock = clock
        }

        // doc: inherited
        func read(
            into batch: RecordBatch,
            reject: (RejectedRecord) throws(EndpointError) -> Void
        ) throws(EndpointError) -> SourceProgress {
            let now = clock.monotonicNanoseconds()
            let current = gaps.round.load(ordering: .relaxed)
            if current != round {
                round = current
                longest = 0
                cell.longest.store(0, ordering: .relaxed)
            } else if now - last > longest, round > 0 {
                longest = now - last
                cell.longest.store(longest, ordering: .relaxed)
            }
            last = now
            return try source.read(into: batch, reject: reject)
        }

        // doc: inherited
        var position: [UInt8]? {
            get throws(EndpointError) { try source.position }
        }

        // doc: inherited
        func seek(to position: [UInt8]) throws(EndpointError) { try source.seek(to: position) }

        // doc: inherited
        func close() throws(EndpointError) { try source.close() }
    }
}
