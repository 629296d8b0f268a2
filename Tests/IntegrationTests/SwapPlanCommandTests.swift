import Foundation
import Testing

/// `apus swap plan` of two compiled files, without a job.
@Suite("Integration: swap plan")
struct SwapPlanCommandTests {
    private let workspace: Workspace

    init() throws { workspace = try Workspace() }

    typealias Part = ShapedPlugin.Part

    /// Two versions, and what the plan has to say of them.
    struct Pair: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let old: ShapedPlugin
        let new: ShapedPlugin
        /// `KIND NAME VERDICT` of each part, in their order.
        let parts: [String]
        let isRefused: Bool
        let rung: String
        let cut: String
        /// Words of the reasons or warnings.
        let words: String

        init(
            _ description: String,
            _ old: [Part],
            _ new: [Part],
            _ parts: [String],
            refused isRefused: Bool = false,
            rung: String = "none",
            cut: String = "boundary",
            says words: String = ""
        ) {
            testDescription = description
            self.old = ShapedPlugin(parts: old)
            self.new = ShapedPlugin(version: "2.0.0", parts: new)
            self.parts = parts
            self.isRefused = isRefused
            self.rung = rung
            self.cut = cut
            self.words = words
        }
    }

    static let pairs = [
        Pair(
            "code only",
            [Part("COUNTER", "sum"), Part("EVENT_TIME", "due")],
            [Part("COUNTER", "sum"), Part("EVENT_TIME", "due")],
            ["state sum as is", "timer due as is"],
            rung: "downgrade"
        ),
        Pair(
            "a state more",
            [Part("VALUE", "last")],
            [Part("VALUE", "last"), Part("MAP", "seen")],
            ["state last as is", "state seen new"]
        ),
        Pair(
            "a state less",
            [Part("VALUE", "last"), Part("MAP", "seen")],
            [Part("VALUE", "last")],
            ["state last as is", "state seen dropped"],
            says: "'seen' is dropped"
        ),
        Pair(
            "wider values with a migrate that goes both ways",
            [Part("VALUE", "last", fixed: 8)],
            [Part("VALUE", "last", v: 2, fixed: 16, reads: 1, back: true)],
            ["state last migrate"],
            rung: "downgrade"
        ),
        Pair(
            "wider values of the same version",
            [Part("VALUE", "last", fixed: 8)],
            [Part("VALUE", "last", fixed: 16)],
            ["state last incompatible"],
            refused: true,
            says: "has 8 bytes in the running version and 16 bytes in the new one"
        ),
        Pair(
            "narrower values with a migrate",
            [Part("VALUE", "last", fixed: 16)],
            [Part("VALUE", "last", v: 2, fixed: 8, reads: 1)],
            ["state last migrate"]
        ),
        Pair(
            "another name",
            [Part("LIST", "lines")],
            [Part("LIST", "history", was: "lines")],
            ["state history as is"],
            rung: "downgrade"
        ),
        Pair(
            "another kind",
            [Part("LIST", "lines")],
            [Part("MAP", "lines", v: 2, reads: 1)],
            ["state lines incompatible"],
            refused: true,
            says: "is a list in the running version and a map in the new one"
        ),
        Pair(
            "F21: bytes of a newer version",
            [Part("MAP", "seen", v: 3)],
            [Part("MAP", "seen", v: 2, reads: 1)],
            ["state seen incompatible"],
            refused: true,
            says: "use `apus swap rollback`"
        ),
        Pair(
            "a version that min_readable leaves out",
            [Part("VALUE", "last")],
            [Part("VALUE", "last", v: 3, reads: 2)],
            ["state last incompatible"],
            refused: true,
            says: "the new one reads versions from 2 on"
        ),
        Pair(
            "F25: a timer that the new version does not know",
            [Part("EVENT_TIME", "due"), Part("PROCESSING_TIME", "idle")],
            [Part("EVENT_TIME", "due")],
            ["timer due as is", "timer idle incompatible"],
            refused: true,
            says: "armed ones would never fire"
        ),
        Pair(
            "F25: a timer of another version is carried over",
            [Part("EVENT_TIME", "due")],
            [Part("EVENT_TIME", "due", v: 2, reads: 1)],
            ["timer due migrate"]
        ),
        Pair(
            "a timer in the other time",
            [Part("EVENT_TIME", "due")],
            [Part("PROCESSING_TIME", "due")],
            ["timer due incompatible"],
            refused: true,
            says: "fires in event time"
        ),
        Pair(
            "broadcast state of another version",
            [Part("BROADCAST", "rules")],
            [Part("BROADCAST", "rules", v: 2, reads: 1, back: true)],
            ["broadcast rules migrate"],
            rung: "downgrade",
            cut: "barrier"
        ),
        Pair(
            "operator state that is dealt out in another way",
            [Part("SPLIT", "offsets")],
            [Part("UNION", "offsets")],
            ["operator-state offsets incompatible"],
            refused: true,
            says: "is a split in the running version and a union"
        ),
        Pair(
            "operator state of another version",
            [Part("UNION", "offsets")],
            [Part("UNION", "offsets", v: 2, reads: 1)],
            ["operator-state offsets migrate"],
            cut: "barrier"
        ),
    ]

    @Test("compiled pairs", arguments: pairs)
    func pair(pair: Pair) throws {
        try pair.old.build(as: "libold.so", in: workspace)
        try pair.new.build(as: "libnew.so", in: workspace)
        let files = ["--from", "libold.so", "--to", "libnew.so"]
        let json = try workspace.start(["swap", "plan"] + files + ["--json"]).finish()
        #expect(json.end == .exited(pair.isRefused ? 2 : 0), "\(json)")
        let plan = try plan(json)
        #expect(try parts(plan) == pair.parts)
        #expect(plan["isRefused"] as? Bool == pair.isRefused)
        if !pair.isRefused {
            #expect(plan["rung"] as? String == pair.rung)
            #expect(plan["cut"] as? String == pair.cut)
            #expect(plan["guardedRung"] as? String == "rewind")
        }
        let text = try workspace.start(["swap", "plan"] + files).finish()
        #expect(text.end == json.end, "\(text)")
        #expect(text.output.hasPrefix("shaped: test.shaped 1.0.0 ("), "\(text)")
        #expect(pair.words.isEmpty || text.output.contains(pair.words), "\(text)")
        let last = text.output.lineList.last ?? ""
        #expect(last.contains(pair.isRefused ? "nothing will happen" : "way back: "), "\(text)")
    }

    private func plan(_ run: Run) throws -> [String: Any] {
        let plans = try #require(try run.jsonObject()["plans"] as? [[String: Any]])
        #expect(plans.count == 1)
        return try #require(plans.first)
    }

    private func parts(_ plan: [String: Any]) throws -> [String] {
        let change = try #require(plan["change"] as? [String: Any])
        let parts = try #require(change["parts"] as? [[String: Any]])
        return parts.map { part in
            ["kind", "name", "verdict"].map { part[$0] as? String ?? "?" }.joined(separator: " ")
        }
    }

    @Test("a private snapshot of another version is warned of, and an older one refused")
    func snapshot() throws {
        try ShapedPlugin(snapshot: 1).build(as: "libold.so", in: workspace)
        try ShapedPlugin(snapshot: 2).build(as: "libnew.so", in: workspace)
        try workspace.apus("swap", "plan", "--from", "libold.so", "--to", "libnew.so").expect(
            prints: "snapshot  private snapshot  1 -> 2   migrate  no",
            "warning: the private snapshot goes from version 1 to 2",
            "cut: barrier: state that belongs to no key changes: 'private snapshot'"
        )
        let back = try workspace.apus("swap", "plan", "--from", "libnew.so", "--to", "libold.so")
        back.expect(status: 2)
        #expect(back.output.contains("refused: snapshot 'private snapshot'"), "\(back)")
    }

    @Test("F20, F28: other outputs, and no keys any more, are refused")
    func ports() throws {
        try ShapedPlugin().build(as: "libold.so", in: workspace)
        try ShapedPlugin(output: "late").build(as: "libout.so", in: workspace)
        try ShapedPlugin(flags: "0").build(as: "libkey.so", in: workspace)
        let out = try workspace.apus("swap", "plan", "--from", "libold.so", "--to", "libout.so")
        out.expect(status: 2)
        #expect(out.output.contains("expected main, as the running version has, found late"))
        let keys = try workspace.apus("swap", "plan", "--from", "libold.so", "--to", "libkey.so")
        keys.expect(status: 2)
        #expect(keys.output.contains("that changes how records are dealt out"), "\(keys)")
    }

    @Test("F43: a file that needs a newer host is refused by its scan, with the reason")
    func newerABI() throws {
        try ShapedPlugin().build(as: "libold.so", in: workspace)
        let floor = "APUS_ABI_MINOR + 7"
        try ShapedPlugin(abiFloor: floor).build(as: "libnew.so", in: workspace)
        let run = try workspace.apus("swap", "plan", "--from", "libold.so", "--to", "libnew.so")
        run.expect(status: 2, says: "error: libnew.so: ")
        #expect(run.output.isEmpty)
    }

    @Test("F49: a plan names its files by content; another content is another plan")
    func content() throws {
        try ShapedPlugin().build(as: "libold.so", in: workspace)
        try ShapedPlugin(version: "2.0.0").build(as: "libnew.so", in: workspace)
        func hash() throws -> String {
            let arguments = ["swap", "plan", "--from", "libold.so", "--to", "libnew.so", "--json"]
            let to = try plan(try workspace.start(arguments).finish())["to"] as? [String: Any]
            return try #require(to?["sha256"] as? String)
        }
        let before = try hash()
        let sum = try workspace.shell("sha256sum libnew.so")
        #expect(sum.output.hasPrefix(before), "\(sum)")
        let parts = [Part("VALUE", "last")]
        try ShapedPlugin(version: "2.0.0", parts: parts).build(as: "libnew.so", in: workspace)
        #expect(try hash() != before)
        let expecting = try workspace.apus(
            "swap",
            "plan",
            "--from",
            "libold.so",
            "--to",
            "libnew.so",
            "--expect",
            "0000"
        )
        expecting.expect(status: 2, says: "expected a file whose SHA-256 begins with 0000, found ")
    }

    @Test("nothing of the files runs in the process that plans")
    func crash() throws {
        try ShapedPlugin().build(as: "libold.so", in: workspace)
        let plugin = TinyPlugin(
            prelude: "__attribute__((constructor)) static void begin(void) { abort(); }"
        )
        try plugin.build(in: workspace)
        let run = try workspace.apus("swap", "plan", "--from", "libold.so", "--to", "libtiny.so")
        run.expect(status: 2, says: "error: libtiny.so: crashed while it was scanned")
    }

    @Test("another plugin and another component are warned of")
    func others() throws {
        try ShapedPlugin().build(as: "libold.so", in: workspace)
        try TinyPlugin().build(in: workspace)
        let run = try workspace.apus("swap", "plan", "--from", "libold.so", "--to", "libtiny.so")
        run.expect(status: 2)
        for word in [
            "warning: the new file is of another plugin: 'test.tiny', and not 'test.shaped'",
            "warning: the component is another one: 'tiny', and not 'shaped'",
            "refused: port 'keys': the running version is keyed, the new one not keyed",
        ] {
            #expect(run.output.contains(word), "\(run)")
        }
        let same = try workspace.apus("swap", "plan", "--from", "libold.so", "--to", "libold.so")
        same.expect(prints: "warning: both are the same component of the same file content")
    }

    @Test("arguments that do not go together are refused with the fix")
    func arguments() throws {
        let mixed = try workspace.start(["swap", "plan", "cp", "x", "--from", "a", "--to", "b"])
            .finish()
        #expect(mixed.end != .exited(0))
        #expect(mixed.errors.contains("leave out the job and the operator, or --from"), "\(mixed)")
        let half = try workspace.apus("swap", "plan", "--from", "a.so")
        #expect(half.end != .exited(0))
        #expect(half.errors.contains("--from FILE: expected --to FILE as well"), "\(half)")
        let missing = try workspace.apus("swap", "plan", "--from", "a.so", "--to", "b.so")
        missing.expect(status: 2, says: "error: a.so: No such file or directory")
        try ShapedPlugin().build(as: "libold.so", in: workspace)
        let component = try workspace.apus(
            "swap",
            "plan",
            "--from",
            "libold.so",
            "--to",
            "libold.so",
            "--component",
            "else"
        )
        component.expect(status: 2, says: "error: libold.so: ", "else", "shaped")
    }
}
