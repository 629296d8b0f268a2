/// Counts durations in buckets that grow with them, after the HDR histogram of Gil Tene.
///
/// Each power of two has 128 buckets of equal width, so a value that is read back is at most
/// 1/128 (0.8 %) larger than the one that was added, and never smaller; below 128 ns all are exact.
/// ``maximum`` is always exact.  40 KiB; adding costs some shifts and one count.  One thread at a
/// time.
package struct Histogram: Sendable {
    private static let bucketBits = 7
    private static let bucketsPerPower = 1 << bucketBits
    /// Durations are cut at 2^45 ns, more than nine hours.
    private static let powerMax = 45
    private static let valueMax = Int64(1) << Int64(powerMax) - 1

    private var counts: [UInt64]

    /// How many durations were added.
    package private(set) var count: UInt64 = 0
    /// The longest one in nanoseconds; 0 when there is none.
    package private(set) var maximum: Int64 = 0

    /// Creates a histogram without any durations.
    package init() {
        counts = Array(
            repeating: 0,
            count: (Self.powerMax - Self.bucketBits + 1) * Self.bucketsPerPower
        )
    }

    /// Adds a duration in nanoseconds; one below zero counts as zero.
    package mutating func add(nanoseconds: Int64) {
        let value = max(0, nanoseconds)
        counts[Self.bucket(of: min(value, Self.valueMax))] += 1
        count += 1
        maximum = max(maximum, value)
    }

    /// Adds all durations of another histogram.
    package mutating func add(_ other: Histogram) {
        for bucket in counts.indices { counts[bucket] += other.counts[bucket] }
        count += other.count
        maximum = max(maximum, other.maximum)
    }

    /// The duration in nanoseconds that so large a part of all do not exceed; 0 when there is none.
    ///
    /// - Parameter part: From 0 to 1: 0.99 is the 99th percentile.
    /// - Returns: The upper end of the bucket in which it lies, at most ``maximum``.
    package func quantile(_ part: Double) -> Int64 {
        guard count > 0 else { return 0 }
        let rank = max(1, UInt64((part * Double(count)).rounded(.up)))
        var seen: UInt64 = 0
        for bucket in counts.indices {
            seen += counts[bucket]
            if seen >= rank { return min(Self.upperEnd(of: bucket), maximum) }
        }
        return maximum
    }

    private static func bucket(of value: Int64) -> Int {
        let power = Int64.bitWidth - 1 - max(value, 1).leadingZeroBitCount
        guard power >= bucketBits else { return Int(value) }
        let shift = power - bucketBits
        return (shift + 1) * bucketsPerPower + Int(value >> Int64(shift)) - bucketsPerPower
    }

    private static func upperEnd(of bucket: Int) -> Int64 {
        guard bucket >= bucketsPerPower else { return Int64(bucket) }
        let shift = Int64(bucket / bucketsPerPower - 1)
        let first = Int64(bucket % bucketsPerPower + bucketsPerPower) << shift
        return first + (1 << shift) - 1
    }
}
