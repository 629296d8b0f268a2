/// Latencies; encodes as a part of what `apus bench --json` prints.
package struct LatencyFigures: Encodable, Equatable, Sendable {
    /// How many records were measured.
    package let count: Int
    /// Half of the records took no longer, in milliseconds.
    package let p50: Double
    /// 99 of a hundred took no longer.
    package let p99: Double
    /// 999 of a thousand took no longer.
    package let p999: Double
    /// The longest.
    package let maximum: Double

    private enum CodingKeys: String, CodingKey {
        case count
        case p50 = "p50_milliseconds"
        case p99 = "p99_milliseconds"
        case p999 = "p99_9_milliseconds"
        case maximum = "max_milliseconds"
    }

    /// Reads a histogram.
    package init(_ histogram: Histogram) {
        count = Int(histogram.count)
        p50 = Double(histogram.quantile(0.5)) / 1e6
        p99 = Double(histogram.quantile(0.99)) / 1e6
        p999 = Double(histogram.quantile(0.999)) / 1e6
        maximum = Double(histogram.maximum) / 1e6
    }

    /// How many times longer each figure is than another one's.
    package func ratios(to other: LatencyFigures) -> Ratios {
        Ratios(self, per: other)
    }

    /// Latencies per other latencies.
    package struct Ratios: Encodable, Equatable, Sendable {
        /// Of the medians.
        package let p50: Double
        /// Of the 99th percentiles.
        package let p99: Double
        /// Of the 99.9th percentiles.
        package let p999: Double
        /// Of the longest.
        package let maximum: Double

        private enum CodingKeys: String, CodingKey {
            case p50, p99
            case p999 = "p99_9"
            case maximum = "max"
        }

        fileprivate init(_ left: LatencyFigures, per right: LatencyFigures) {
            func ratio(_ value: Double, _ other: Double) -> Double {
                other > 0 ? value / other : 0
            }
            p50 = ratio(left.p50, right.p50)
            p99 = ratio(left.p99, right.p99)
            p999 = ratio(left.p999, right.p999)
            maximum = ratio(left.maximum, right.maximum)
        }
    }
}
