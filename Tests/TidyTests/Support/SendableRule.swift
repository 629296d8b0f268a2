/// Promises that the compiler cannot check give their reason.
enum SendableRule {
    private static let patterns = ["@unchecked Sendable", "nonisolated(unsafe)"].map(Pattern.init)

    /// The unchecked promises of a Swift file without a "because" on or beside their line.
    static func check(_ file: SourceFile) -> [Finding] {
        guard file.isSwift else { return [] }
        return patterns.flatMap { pattern in
            pattern.lines(in: file)
                .filter { line in
                    !(line - 1...line + 1).contains { file.comment($0).contains("because") }
                }
                .map { line in
                    file.finding(
                        line,
                        "\(pattern.text) without a reason",
                        fix: "add a comment on this or the next line that says 'because …'"
                    )
                }
        }
    }
}
