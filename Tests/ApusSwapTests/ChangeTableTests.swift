import ApusSwap
import Testing

/// Every row of ``ChangeTable``, and what holds for all of them.
@Suite("The table of changes")
struct ChangeTableTests {
    @Test("a state stays, comes, goes, or gets other bytes", arguments: lines(ChangeTable.states))
    func states(line: String) throws { try ChangeRow(line).check() }

    @Test(
        "F21: bytes of versions that the new one does not know are refused, not guessed",
        arguments: lines(ChangeTable.versions)
    )
    func versions(line: String) throws { try ChangeRow(line).check() }

    @Test("names, places, homes", arguments: lines(ChangeTable.names))
    func names(line: String) throws { try ChangeRow(line).check() }

    @Test(
        "F25: timers that the new version does not know are refused",
        arguments: lines(ChangeTable.timers)
    )
    func timers(line: String) throws { try ChangeRow(line).check() }

    @Test("state of the whole operator", arguments: lines(ChangeTable.whole))
    func whole(line: String) throws { try ChangeRow(line).check() }

    @Test(
        "F20, F28: another way to deal out keys, other outputs",
        arguments: lines(ChangeTable.ports)
    )
    func ports(line: String) throws { try ChangeRow(line).check() }

    @Test("the table is large, and has no row twice")
    func size() {
        let rows = ChangeTable.all.flatMap(ChangeRow.lines)
        #expect(rows.count >= 150)
        #expect(Set(rows).count == rows.count)
        #expect(rows.count { $0.contains("refused") } >= 60)
    }

    @Test("any version can take over from itself, with nothing but the code", arguments: allLines)
    func itself(line: String) throws {
        let row = try ChangeRow(line)
        for shape in [row.old, row.new] {
            let change = ComponentChange(from: shape, to: shape)
            #expect(change.isCodeOnly)
            #expect(change.goesBack)
            #expect(!change.needsBarrier)
        }
    }

    @Test("what is lost is warned of, and what is refused says why", arguments: allLines)
    func told(line: String) throws {
        let row = try ChangeRow(line)
        let change = ComponentChange(from: row.old, to: row.new)
        let plan = row.plan(change)
        for part in change.parts where part.verdict == .dropped {
            #expect(plan.warnings.contains { $0.contains("'\(part.name)' is dropped") })
        }
        #expect(plan.refusals.count == change.obstacles.count)
        let last = plan.text.split(separator: "\n").last ?? ""
        #expect(last.contains(plan.isRefused ? "refused" : "way back: \(plan.rung.rawValue)"))
    }

    private static func lines(_ table: String) -> [String] { ChangeRow.lines(table) }
    private static let allLines = ChangeTable.all.flatMap(ChangeRow.lines)
}
