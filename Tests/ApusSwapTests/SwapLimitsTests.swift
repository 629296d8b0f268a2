import ApusSwap
import Testing

/// What a version on probation is measured by.
@Suite("Swap limits")
struct SwapLimitsTests {
    private static func seen(
        records: Int,
        rejected: Int = 0,
        batches: Int = 0,
        p99: Int64? = nil
    ) -> SwapLimits.Observation {
        var seen = SwapLimits.Observation()
        (seen.recordCount, seen.rejectedCount) = (records, rejected)
        (seen.batchCount, seen.p99Microseconds) = (batches, p99)
        return seen
    }

    @Test("Few batches tell nothing, until there are no more")
    func fewBatches() {
        var limits = SwapLimits()
        limits.p99Microseconds = 5_000
        let slow = Self.seen(records: 3_000, batches: 3, p99: 2_000_000)
        #expect(limits.breach(slow) == nil)
        #expect(limits.breach(slow, isLast: true) != nil)
        let many = Self.seen(records: 3_000, batches: SwapLimits.batchCountMin, p99: 2_000_000)
        #expect(limits.breach(many) != nil)
        let fast = Self.seen(records: 3_000, batches: 3, p99: 5_000)
        #expect(limits.breach(fast, isLast: true) == nil)
    }

    @Test("Few records tell nothing, until there are no more")
    func fewRecords() {
        var limits = SwapLimits()
        limits.errorRate = 0.01
        let bad = Self.seen(records: 4, rejected: 2)
        #expect(limits.breach(bad) == nil)
        #expect(limits.breach(bad, isLast: true) != nil)
        // Twice the limit, by chance or not: more records will tell.
        #expect(limits.breach(Self.seen(records: 200, rejected: 4)) == nil)
        #expect(limits.breach(Self.seen(records: 200, rejected: 4), isLast: true) != nil)
        #expect(limits.breach(Self.seen(records: 20, rejected: 1)) == nil)
        #expect(limits.breach(Self.seen(records: 20, rejected: 6)) != nil)
        #expect(limits.breach(Self.seen(records: 20_000, rejected: 300)) != nil)
        #expect(limits.breach(Self.seen(records: 200, rejected: 2), isLast: true) == nil)
        #expect(limits.breach(Self.seen(records: 0), isLast: true) == nil)
    }
}
