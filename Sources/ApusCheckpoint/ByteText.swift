/// Lengths as people read them: `512 B`, `1.4 KiB`, `37 MiB`.
enum ByteText {
    private static let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]

    /// A number of files: `1 file`, `2 files`.
    static func files(_ count: Int) -> String { count == 1 ? "1 file" : "\(count) files" }

    /// The length with two digits or three, rounded down.
    static func format(_ byteCount: Int) -> String {
        var tenths = byteCount.multipliedReportingOverflow(by: 10)
        if tenths.overflow { tenths.partialValue = Int.max }
        var value = tenths.partialValue
        var unit = 0
        while value >= 10_240, unit < units.count - 1 {
            value /= 1_024
            unit += 1
        }
        let isShort = unit == 0 || value >= 100
        return isShort
            ? "\(value / 10) \(units[unit])" : "\(value / 10).\(value % 10) \(units[unit])"
    }
}
