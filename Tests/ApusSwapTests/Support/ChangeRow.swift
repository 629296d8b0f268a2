import ApusSwap
import Testing

/// A row of the table of changes: `old | new | verdicts | flags | words of the refusal`.
///
/// Verdicts are those of all parts in their order, `-` for none. Flags are `refused`, or any of
/// `keeps` (rows stay as they lie), `back` (can be brought back) and `barrier`; `-` for none.
struct ChangeRow {
    let old: ComponentShape
    let new: ComponentShape
    let verdicts: String
    let flags: Set<String>
    let words: String

    /// Reads a row.
    init(_ line: String) throws {
        let cells = line.split(separator: "|", omittingEmptySubsequences: false).map { cell in
            cell.split(separator: " ").joined(separator: " ")
        }
        guard cells.count == 4 || cells.count == 5 else {
            throw ShapeText.Mistake(description: "expected 4 or 5 cells: \(line)")
        }
        old = try ShapeText(cells[0]).shape
        new = try ShapeText(cells[1]).shape
        verdicts = cells[2]
        flags = Set(cells[3].split(separator: " ").map(String.init)).subtracting(["-"])
        let known: Set<String> = ["refused", "keeps", "back", "barrier"]
        guard flags.isSubset(of: known), flags.contains("refused") == (cells.count == 5) else {
            throw ShapeText.Mistake(description: "flags and reason: \(line)")
        }
        words = cells.count == 5 ? cells[4] : ""
    }

    /// The rows of a table.
    static func lines(_ table: String) -> [String] {
        table.split(separator: "\n").map(String.init)
    }

    /// Expects that the change is as the row says.
    func check() {
        let change = ComponentChange(from: old, to: new)
        let found = change.parts.map { part in
            let name = part.kind == .snapshot ? "snapshot" : part.name
            let verdict = part.verdict.rawValue.replacing(" ", with: "-")
            return "\(name.replacing(" ", with: "-"))=\(verdict)"
        }
        #expect((found.isEmpty ? "-" : found.joined(separator: " ")) == verdicts)
        let plan = plan(change)
        #expect(plan.isRefused == flags.contains("refused"))
        #expect(plan.text.contains("refused: ") == plan.isRefused)
        #expect(change.obstacles.allSatisfy { $0.reason?.isEmpty == false })
        if plan.isRefused {
            #expect(plan.refusals.contains { $0.contains(words) }, "\(plan.refusals)")
            #expect(!change.goesBack)
            return
        }
        #expect(change.keepsRows == flags.contains("keeps"), "keeps rows")
        #expect(change.goesBack == flags.contains("back"), "goes back")
        #expect(change.needsBarrier == flags.contains("barrier"), "needs a barrier")
        #expect(plan.cut == (flags.contains("barrier") ? .barrier : .boundary))
        #expect(plan.rung == (flags.contains("back") ? .downgrade : .none))
    }

    /// A plan without a job.
    func plan(_ change: ComponentChange) -> SwapPlan {
        SwapPlan(
            operator: "subject",
            from: .subject("1.0.0"),
            to: .subject("2.0.0"),
            change: change,
            facts: nil
        )
    }
}

extension PluginVersion {
    /// A version of a plugin that does not exist.
    static func subject(_ version: String, plugin: String = "test.subject") -> PluginVersion {
        PluginVersion(
            sha256: String(repeating: String(version.prefix(1)), count: 64),
            file: "lib\(version).so",
            plugin: plugin,
            version: version,
            component: "subject"
        )
    }
}
