import ApusMemory
import Synchronization

/// Keeps the subtasks of a source near each other in event time.
///
/// A subtask that is ahead would only fill the state of keyed operators with records and timers
/// that wait for the slowest one, since the least watermark counts.  So it pauses until the others
/// have come near.  (Flink calls this watermark alignment.)
final class SourceAlignment: Sendable {
    private let cells: [Cell]
    private let driftMax: Int64

    /// The newest event time of a subtask, alone on its cache line.
    private final class Cell: Sendable {
        let newest: Atomic<Int64> = Atomic(.min)
    }

    /// Creates an alignment of so many subtasks, at most `driftMax` microseconds apart.
    init(subtaskCount: Int, driftMax: Int64) {
        cells = (0..<subtaskCount).map { _ in Cell() }
        self.driftMax = driftMax
    }

    /// Tells how far a subtask has come; `Int64.max` when it has ended or is idle.
    func report(_ subtask: Int, newest: Int64) {
        cells[subtask].newest.store(newest, ordering: .relaxed)
    }

    /// Whether a subtask at this time has to wait for another one.
    func mustWait(at time: Int64) -> Bool {
        for cell in cells {
            let other = cell.newest.load(ordering: .relaxed)
            if other < time, time &- other > driftMax || other == .min { return true }
        }
        return false
    }
}
