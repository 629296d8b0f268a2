/// The list of all checks, for `--list` and for the documentation.
package enum CheckTable {
    /// A check as `--list --json` prints it.
    package struct Row: Codable, Sendable {
        /// The id, "E48".
        package var check: String
        /// The name.
        package var name: String
        /// The group.
        package var group: CheckGroup
        /// 1 to 10.
        package var strictness: Int
        /// What it demands, and why.
        package var demand: String
        /// Whether its input comes from a seed.
        package var randomised: Bool
    }

    /// All checks.
    package static var rows: [Row] {
        CheckCatalogue.all.map {
            Row(
                check: $0.id,
                name: $0.name,
                group: $0.group,
                strictness: $0.strictness,
                demand: $0.demand,
                randomised: $0.isRandomised
            )
        }
    }

    /// The checks as tables in Markdown, one per group.
    package static var markdown: String {
        var lines: [String] = []
        for group in CheckGroup.allCases {
            let own = rows.filter { $0.group == group }
            guard !own.isEmpty else { continue }
            lines += [
                "### \(group.rawValue). \(group.title)", "",
                "| check | name | strictness | what it demands |", "|---|---|---|---|",
            ]
            lines += own.map { row in
                let name = "`\(row.name)`" + (row.randomised ? " (random)" : "")
                return "| \(row.check) | \(name) | \(row.strictness) | \(row.demand) |"
            }
            lines.append("")
        }
        return lines.dropLast().joined(separator: "\n")
    }

    /// The checks as lines.
    package static var text: String {
        rows.map { row in
            func pad(_ text: String, _ width: Int) -> String {
                text + String(repeating: " ", count: max(1, width - text.count))
            }
            return pad(row.check, 6) + pad("\(row.strictness)", 3) + pad(row.name, 32) + row.demand
        }.joined(separator: "\n")
    }
}
