/// What versions on probation have shown since they came into force.
package struct ProbationRecord: Sendable, Equatable {
    /// How long 99 of 100 batches took at most, in nanoseconds, rounded up to a power of two; nil
    /// when there were none.
    package private(set) var p99Nanoseconds: Int64?
    /// Batches so far.
    package private(set) var batchCount = 0
    /// Records that came in so far.
    package private(set) var recordCount = 0
    /// Those of them that were rejected.
    package private(set) var rejectedCount = 0
    /// The plugins' counters, by operator and name, over all subtasks.
    package private(set) var counters: [String: [String: UInt64]] = [:]

    /// Adds up what subtasks have told.
    init(_ desks: [(operator: String, desk: SwapDesk)]) {
        var durations = [Int](repeating: 0, count: SwapDesk.Probation().durations.count)
        for (id, desk) in desks {
            let shown = desk.shown
            recordCount += shown.recordCount
            rejectedCount += shown.rejectedCount
            for (index, count) in shown.durations.enumerated() { durations[index] += count }
            for (name, value) in shown.counters {
                counters[id, default: [:]][name, default: 0] &+= value
            }
        }
        batchCount = durations.reduce(0, +)
        var left = batchCount * 99 / 100
        for (index, count) in durations.enumerated() where count > 0 {
            p99Nanoseconds = 1 << Int64(index)
            left -= count
            if left < 0 { break }
        }
    }
}
