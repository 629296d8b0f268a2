/// The longest latency in each millisecond in which records were due.
///
/// So what a swap has done to records can be told from what happened at other times.  Ten minutes;
/// what is due later counts in the last cell.  One thread at a time.
package struct LatencyTimeline: Sendable {
    private static let cellNanoseconds: Int64 = 1_000_000
    private static let cellCount = 600_000

    private var microseconds: [UInt32]

    /// Creates a timeline without any records; takes its memory now, not when records come.
    package init() {
        microseconds = Array(repeating: 0, count: Self.cellCount)
    }

    /// Adds a record.
    ///
    /// - Parameters:
    ///   - latency: How long it took, in nanoseconds.
    ///   - time: When it was due, in nanoseconds since the beginning.
    package mutating func add(latency: Int64, at time: Int64) {
        let cell = cell(of: time)
        microseconds[cell] = max(microseconds[cell], UInt32(clamping: latency / 1000))
    }

    /// Adds all records of another timeline with the same beginning.
    package mutating func add(_ other: LatencyTimeline) {
        for cell in microseconds.indices {
            microseconds[cell] = max(microseconds[cell], other.microseconds[cell])
        }
    }

    /// The longest latency of records that were due between two times, in nanoseconds; 0 when there
    /// were none.
    package func maximum(from first: Int64, to last: Int64) -> Int64 {
        guard first <= last else { return 0 }
        return Int64(microseconds[cell(of: first)...cell(of: last)].max() ?? 0) * 1000
    }

    private func cell(of time: Int64) -> Int {
        Int(min(max(0, time / Self.cellNanoseconds), Int64(Self.cellCount - 1)))
    }
}
