/// Durations as people write them: `5ms`, `24h`.
package enum DurationText {
    /// The units from large to small, each with its length in microseconds.
    package static let units: [(name: String, microseconds: Int64)] = [
        ("d", 86_400_000_000),
        ("h", 3_600_000_000),
        ("m", 60_000_000),
        ("s", 1_000_000),
        ("ms", 1_000),
        ("us", 1),
    ]

    /// The duration in the largest unit that divides it; `0s` for zero.
    package static func format(microseconds: Int64) -> String {
        guard microseconds != 0 else { return "0s" }
        for unit in units where microseconds % unit.microseconds == 0 {
            return "\(microseconds / unit.microseconds)\(unit.name)"
        }
        return "\(microseconds)us"
    }
}
