import ApusBench
import ApusCore
import Testing

@Suite("Histogram of durations")
struct HistogramTests {
    /// The value that so large a part of all do not exceed, from the values themselves.
    private func exact(_ sorted: [Int64], _ part: Double) -> Int64 {
        sorted[max(1, Int((part * Double(sorted.count)).rounded(.up))) - 1]
    }

    @Test("a quantile is at most 1/128 above the true one and never below it")
    func quantiles() {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SplitMix64(seed: seed)
        var histogram = Histogram()
        var values: [Int64] = []
        for _ in 0..<20_000 {
            // All sizes up to half an hour, as likely as each other.
            let value = Int64(random.next() >> (24 + random.next() % 40))
            values.append(value)
            histogram.add(nanoseconds: value)
        }
        values.sort()
        for part in [0, 0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 1] {
            let (found, expected) = (histogram.quantile(part), exact(values, part))
            #expect(found >= expected, "\(part), seed \(seed)")
            #expect(found - expected <= expected / 128, "\(part), seed \(seed)")
        }
        #expect(histogram.quantile(1) == values[values.count - 1], "seed \(seed)")
        #expect(histogram.count == 20_000)
    }

    @Test("durations below 128 ns are exact")
    func small() {
        for value in Int64(0)..<128 {
            var histogram = Histogram()
            histogram.add(nanoseconds: value)
            histogram.add(nanoseconds: 1_000_000)
            #expect(histogram.quantile(0.5) == value)
        }
    }

    @Test("the bounds of buckets lie where they should: around each power of two")
    func powers() {
        for power in 7..<45 {
            for value in [Int64(1) << power - 1, Int64(1) << power, Int64(1) << power + 1] {
                var histogram = Histogram()
                histogram.add(nanoseconds: value)
                histogram.add(nanoseconds: .max)
                let found = histogram.quantile(0.5)
                #expect(found >= value && found - value <= value / 128, "\(value): \(found)")
            }
        }
    }

    @Test("the longest duration is exact, however long; a negative one counts as none")
    func extremes() {
        var histogram = Histogram()
        #expect(histogram.quantile(0.5) == 0)
        histogram.add(nanoseconds: -5)
        #expect(histogram.maximum == 0)
        #expect(histogram.quantile(1) == 0)
        histogram.add(nanoseconds: .max)
        #expect(histogram.maximum == .max)
        #expect(histogram.count == 2)
    }

    @Test("the sum of two is what one would be that had got all")
    func sum() {
        var (left, right, both) = (Histogram(), Histogram(), Histogram())
        for value in Int64(0)..<1_000 {
            if value % 3 == 0 {
                left.add(nanoseconds: value * value)
            } else {
                right.add(nanoseconds: value * value)
            }
            both.add(nanoseconds: value * value)
        }
        left.add(right)
        #expect(left.count == both.count)
        #expect(left.maximum == both.maximum)
        for part in [0.1, 0.5, 0.99] { #expect(left.quantile(part) == both.quantile(part)) }
    }

    @Test("latencies in milliseconds, and their ratios")
    func latencies() {
        var (fast, slow) = (Histogram(), Histogram())
        for _ in 0..<1_000 {
            fast.add(nanoseconds: 1_000_000)
            slow.add(nanoseconds: 1_000_000)
        }
        slow.add(nanoseconds: 50_000_000)
        let figures = LatencyFigures(slow)
        #expect(figures.count == 1_001)
        #expect(figures.maximum == 50)
        #expect((1...1.01).contains(figures.p50))
        let ratios = figures.ratios(to: LatencyFigures(fast))
        #expect(ratios.maximum == 50)
        #expect((0.99...1.01).contains(ratios.p50))
        // Nothing was measured: there is nothing to compare with.
        #expect(figures.ratios(to: LatencyFigures(Histogram())).maximum == 0)
    }
}
