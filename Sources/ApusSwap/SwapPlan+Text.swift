extension SwapPlan {
    /// The plan for people; the last line says what will happen, and the way back.
    package var text: String {
        var lines = [
            "\(`operator`): \(from.text) -> \(to.text)",
            "",
        ]
        lines += table.map { "  \($0)" }
        lines.append("")
        lines += warnings.map { "warning: \($0)" }
        lines += refusals.map { "refused: \($0)" }
        if !isRefused {
            lines.append("cut: \(cut.rawValue): \(cutReason)")
            if guardedRung != rung {
                lines.append(
                    "hint: with --guard the way back is '\(guardedRung.rawValue)', where the job "
                        + "takes checkpoints and its sinks deliver exactly once"
                )
            }
        }
        lines.append(summary)
        return lines.joined(separator: "\n")
    }

    /// What will happen, in a line.
    private var summary: String {
        if isRefused {
            return "nothing will happen: the swap is refused, and the old version stays"
        }
        return "will change over at a \(cut.rawValue)\(extent); way back: \(rung.rawValue): "
            + rungReason
    }

    private var extent: String {
        if change.isCodeOnly { return ", the code alone" }
        if change.keepsRows { return ", with the rows of keys as they lie" }
        return ", and move each key's row when it is needed, the rest by a sweep"
    }

    // MARK: - The table

    private var table: [String] {
        if change.parts.isEmpty { return ["it has no state and no timers"] }
        let rows =
            [["part", "name", "version", "verdict", "back"]]
            + change.parts.map { part in
                [
                    part.kind.rawValue,
                    part.name,
                    Self.versions(part),
                    part.verdict.rawValue,
                    Self.back(part),
                ]
            }
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            var line = ""
            for (cell, width) in zip(row, widths) {
                line += cell + String(repeating: " ", count: width - cell.count + 2)
            }
            while line.last == " " { line.removeLast() }
            return line
        }
    }

    private static func versions(_ part: ComponentChange.Part) -> String {
        switch (part.fromVersion, part.toVersion) {
        case (nil, nil): "-"
        case (let from?, let to?) where from == to: "\(from)"
        case (let from, let to):
            "\(from.map(String.init) ?? "-") -> \(to.map(String.init) ?? "-")"
        }
    }

    /// Whether what the new version writes can be brought back.
    private static func back(_ part: ComponentChange.Part) -> String {
        switch part.verdict {
        case .asIs: "yes"
        case .migrate: part.goesBack ? "yes" : "no"
        case .new, .dropped: "no"
        case .incompatible: "-"
        }
    }
}
