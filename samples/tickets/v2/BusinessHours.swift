import ApusSDK

/// Monday to Friday, 09:00 to 17:00 UTC.
enum BusinessHours {
    private static let minute: Int64 = 60_000_000
    private static let day: Int64 = 24 * 60 * minute
    private static let opening: Int64 = 9 * 60 * minute
    private static let closing: Int64 = 17 * 60 * minute

    /// When so many minutes of business hours have passed.
    static func due(_ minutes: Int64, after time: Timestamp) -> Timestamp {
        var left = minutes * minute
        var at = time.microseconds
        while true {
            let midnight = at - floorMod(at, day)
            let end = midnight + closing
            // 1970 began on a Thursday.
            let weekday = floorMod(midnight / day + 3, 7)
            if weekday < 5, at < end {
                let start = max(at, midnight + opening)
                if start + left <= end { return Timestamp(microseconds: start + left) }
                left -= end - start
            }
            at = midnight + day
        }
    }

    private static func floorMod(_ value: Int64, _ modulus: Int64) -> Int64 {
        let rest = value % modulus
        return rest < 0 ? rest + modulus : rest
    }
}
