import ApusSwap
import Foundation
import Testing

/// What a plan says beyond the verdicts: the cut, the way back, warnings, text.
@Suite("A plan of a swap")
struct SwapPlanTests {
    private func plan(
        _ old: String,
        _ new: String,
        _ facts: SwapPlan.Facts? = nil,
        from: PluginVersion = .subject("1.0.0"),
        to: PluginVersion = .subject("2.0.0"),
        calls: SwapPlan.Calls? = nil
    ) throws -> SwapPlan {
        SwapPlan(
            operator: "sla",
            from: from,
            to: to,
            change: ComponentChange(
                from: try ShapeText(old).shape,
                to: try ShapeText(new).shape
            ),
            facts: facts,
            calls: calls
        )
    }

    private func facts(
        guarded: Bool = true,
        checkpoints: Bool = true,
        exactlyOnce: Bool = true,
        operators: Int = 1
    ) -> SwapPlan.Facts {
        SwapPlan.Facts(
            isGuarded: guarded,
            hasCheckpoints: checkpoints,
            isExactlyOnce: exactlyOnce,
            operatorCount: operators
        )
    }

    // MARK: - The way back

    @Test("guarded, with checkpoints and sinks that hold output back: rewind, whatever changes")
    func rewind() throws {
        for new in ["a value", "-", "a value v2 reads1", "a value, b map"] {
            let plan = try plan("a value", new, facts())
            #expect(plan.rung == .rewind)
            #expect(plan.guardedRung == .rewind)
            #expect(plan.cut == .barrier)
        }
    }

    @Test("without a guard: downgrade where bytes come back, none where they do not, with the why")
    func unguarded() throws {
        let facts = facts(guarded: false)
        let code = try plan("a value", "a value", facts)
        #expect(code.rung == .downgrade)
        #expect(code.rungReason.contains("what it emits stays"))
        #expect(code.cut == .boundary)
        #expect(code.guardedRung == .rewind)
        #expect(try plan("a value", "a value v2 reads1 back", facts).rung == .downgrade)
        for (new, why) in [
            ("a value v2 reads1", "'a' is not brought back (no APUS_MIGRATES_BACK)"),
            ("a value, b list", "'b' is new, and would be lost"),
            ("-", "'a' was dropped, and is gone"),
        ] {
            let plan = try plan("a value", new, facts)
            #expect(plan.rung == .none)
            #expect(plan.rungReason == "without --guard; \(why)")
        }
    }

    @Test("a guard without checkpoints, or with sinks that deliver at once, is no rewind")
    func weakGuard() throws {
        let none = try plan("a value", "a value v2 reads1", facts(checkpoints: false))
        #expect(none.rung == .none)
        #expect(none.guardedRung == .none)
        #expect(none.rungReason.hasPrefix("the job takes no checkpoints; "))
        let once = try plan("a value", "a value v2 reads1", facts(exactlyOnce: false))
        #expect(once.rung == .none)
        #expect(once.rungReason.contains("delivery: exactly-once"))
        let back = try plan("a value", "a value v2 reads1 back", facts(exactlyOnce: false))
        #expect(back.rung == .downgrade)
    }

    @Test("rungs are ordered: a flip is best, none is worst")
    func order() {
        #expect(SwapPlan.Rung.none.isWorse(than: .downgrade))
        #expect(SwapPlan.Rung.downgrade.isWorse(than: .rewind))
        #expect(SwapPlan.Rung.rewind.isWorse(than: .flip))
        #expect(!SwapPlan.Rung.rewind.isWorse(than: .rewind))
    }

    // MARK: - The cut

    @Test("a barrier for several operators, and for state that belongs to no key")
    func cut() throws {
        let several = try plan("-", "-", facts(guarded: false, operators: 3))
        #expect(several.cut == .barrier)
        #expect(several.cutReason == "3 operators change together")
        let whole = try plan("r broadcast", "r broadcast v2 reads1")
        #expect(whole.cut == .barrier)
        #expect(whole.cutReason.contains("'r'"))
    }

    @Test("a barrier in a job without checkpoints is refused, with the fix")
    func noBarrier() throws {
        let old = "r broadcast"
        let plan = try plan(old, "r broadcast v2 reads1", facts(checkpoints: false))
        #expect(plan.isRefused)
        #expect(
            plan.refusals == [
                "the swap has to be cut at a checkpoint barrier, and the job takes no checkpoints; "
                    + "give it a `checkpoint:` in its job file"
            ]
        )
        #expect(try !self.plan(old, old, facts(checkpoints: false)).isRefused)
    }

    // MARK: - Warnings

    @Test("warnings: the same file, another plugin, another component")
    func identity() throws {
        let same = try plan("-", "-", to: .subject("1.0.0"))
        #expect(same.warnings == ["both are the same component of the same file content"])
        let other = try plan("-", "-", to: .subject("2.0.0", plugin: "test.other"))
        #expect(other.warnings.first?.contains("'test.other', and not 'test.subject'") == true)
        var renamed = PluginVersion.subject("2.0.0")
        renamed.component = "else"
        let component = try plan("-", "-", to: renamed)
        #expect(component.warnings.first?.contains("'else', and not 'subject'") == true)
    }

    @Test("F49: the same name and version with another content is another version")
    func content() throws {
        var other = PluginVersion.subject("1.0.0")
        other.sha256 = String(repeating: "e", count: 64)
        let plan = try plan("-", "-", to: other)
        #expect(plan.warnings.isEmpty)
        #expect(plan.text.contains("(eeeeeeeeeeee)"))
    }

    @Test("warnings: calls under way, a private snapshot of another version")
    func calls() throws {
        let on = try plan("async", "async", calls: SwapPlan.Calls(before: true, after: true))
        #expect(on.warnings.first?.contains("are begun again") == true)
        let off = try plan("async", "-", calls: SwapPlan.Calls(before: true, after: false))
        #expect(off.warnings.first?.contains("`async:` has to leave the job file") == true)
        let begun = try plan("-", "async", calls: SwapPlan.Calls(before: false, after: true))
        #expect(begun.warnings.isEmpty)
        let snapshot = try plan("snapshot v1", "snapshot v3")
        #expect(snapshot.warnings.first?.contains("from version 1 to 3") == true)
    }

    // MARK: - Text and JSON

    @Test("the text has a table with aligned columns, warnings, and the outcome last")
    func text() throws {
        let plan = try plan(
            "sum counter, seen map, due event",
            "total counter v2 reads1 back was:sum, due event, note value",
            facts(guarded: false)
        )
        #expect(
            plan.text == """
                sla: test.subject 1.0.0 (111111111111) -> test.subject 2.0.0 (222222222222)

                  part   name   version  verdict  back
                  state  total  1 -> 2   migrate  yes
                  state  note   - -> 1   new      no
                  state  seen   1 -> -   dropped  no
                  timer  due    1        as is    yes

                warning: state 'seen' is dropped: what there is of it goes
                cut: boundary: each subtask changes over by itself, between two batches
                hint: with --guard the way back is 'rewind', where the job takes checkpoints and \
                its sinks deliver exactly once
                will change over at a boundary, and move each key's row when it is needed, the \
                rest by a sweep; way back: none: without --guard; 'note' is new, and would be \
                lost, 'seen' was dropped, and is gone
                """
        )
    }

    @Test("a refused plan says each reason, and that nothing will happen")
    func refusal() throws {
        let plan = try plan("a value, t event", "a counter")
        let lines = plan.text.split(separator: "\n")
        #expect(lines.count { $0.hasPrefix("refused: ") } == 2)
        #expect(lines.last?.hasPrefix("nothing will happen") == true)
        #expect(!plan.text.contains("cut: "))
    }

    @Test("a plan survives JSON")
    func json() throws {
        for new in ["a value v2 reads1", "a map", "-"] {
            let plan = try plan("a value", new, facts())
            let bytes = try JSONEncoder().encode(plan)
            #expect(try JSONDecoder().decode(SwapPlan.self, from: bytes) == plan)
            let object = try JSONSerialization.jsonObject(with: bytes) as? [String: Any]
            #expect(object?["isRefused"] as? Bool == (new == "a map"))
            #expect(object?["rung"] as? String == "rewind")
            #expect(object?["cut"] as? String == "barrier")
        }
    }
}
