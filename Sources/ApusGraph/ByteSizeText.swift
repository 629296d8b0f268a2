/// Sizes as people write them: `256MiB`, `100MB`.
package enum ByteSizeText {
    /// The units from large to small, each with its number of bytes.
    package static let units: [(name: String, byteCount: Int)] = [
        ("GiB", 1 << 30),
        ("GB", 1_000_000_000),
        ("MiB", 1 << 20),
        ("MB", 1_000_000),
        ("KiB", 1 << 10),
        ("KB", 1_000),
        ("B", 1),
    ]

    /// The size in the largest unit that divides it; `0B` for zero.
    package static func format(byteCount: Int) -> String {
        guard byteCount != 0 else { return "0B" }
        for unit in units where byteCount % unit.byteCount == 0 {
            return "\(byteCount / unit.byteCount)\(unit.name)"
        }
        return "\(byteCount)B"
    }

    /// The rate in the largest unit that divides it, such as `100MB/s`.
    package static func format(bytesPerSecond: Int) -> String {
        "\(format(byteCount: bytesPerSecond))/s"
    }
}
