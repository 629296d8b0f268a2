/// What a swap of one operator would do, before anything is touched.
package struct SwapPlan: Codable, Equatable, Sendable {
    /// A way back from a new version.
    package enum Rung: String, Codable, Sendable, CaseIterable {
        /// The old version's instance takes over again: nothing was done by the new one.
        case flip
        /// The job goes back to the checkpoint of the cut; output since then was held back.
        case rewind
        /// What the new version has written is brought back; what it has emitted stays.
        case downgrade
        /// There is none.
        case none

        /// Whether another rung is a better way back.
        package func isWorse(than other: Rung) -> Bool {
            let order = Self.allCases
            return (order.firstIndex(of: self) ?? 0) > (order.firstIndex(of: other) ?? 0)
        }
    }

    /// What of the job decides about the way back.
    package struct Facts: Codable, Equatable, Sendable {
        /// Whether the new version is on probation after the cut.
        package var isGuarded: Bool
        /// Whether the job takes checkpoints.
        package var hasCheckpoints: Bool
        /// Whether all sinks can hold output back.
        package var isExactlyOnce: Bool
        /// How many operators are swapped at once.
        package var operatorCount: Int

        /// Creates facts.
        package init(
            isGuarded: Bool,
            hasCheckpoints: Bool,
            isExactlyOnce: Bool,
            operatorCount: Int = 1
        ) {
            self.isGuarded = isGuarded
            self.hasCheckpoints = hasCheckpoints
            self.isExactlyOnce = isExactlyOnce
            self.operatorCount = operatorCount
        }
    }

    /// The operator's id.
    package var `operator`: String
    /// The version that runs.
    package var from: PluginVersion
    /// The version that is to take over.
    package var to: PluginVersion
    /// What becomes of each part.
    package var change: ComponentChange
    /// How the subtasks change over, unless the swap asks for another way.
    package var cut: SwapIntent.Cut
    /// Why it is that one.
    package var cutReason: String
    /// The way back once the new version was called; until then it is always a flip.
    package var rung: Rung
    /// Why it is that one.
    package var rungReason: String
    /// The way back that the swap would have with a guard, as far as that is known.
    package var guardedRung: Rung
    /// What one should know although it keeps nothing from being done.
    package var warnings: [String]
    /// Why the swap cannot be done, and how to mend it; empty when it can.
    package var refusals: [String]
    /// Whether the swap cannot be done.
    package var isRefused: Bool

    /// Makes a plan.
    ///
    /// - Parameters:
    ///   - operator: The operator's id.
    ///   - from: The version that runs.
    ///   - to: The version that is to take over.
    ///   - change: What becomes of each part.
    ///   - facts: What of the job decides; nil when two files are compared without a job.
    ///   - calls: Which of the two versions make asynchronous calls; nil when that is not known.
    package init(
        operator: String,
        from: PluginVersion,
        to: PluginVersion,
        change: ComponentChange,
        facts: Facts?,
        calls: Calls? = nil
    ) {
        self.operator = `operator`
        self.from = from
        self.to = to
        self.change = change
        (cut, cutReason) = Self.cut(change, facts)
        (rung, rungReason) = Self.rung(change, facts)
        guardedRung =
            facts.map { $0.hasCheckpoints && $0.isExactlyOnce } ?? true ? .rewind : rung
        warnings = Self.warnings(from, to, change, calls)
        refusals = Self.refusals(change, cut, facts)
        isRefused = !refusals.isEmpty
    }

    /// Which versions make asynchronous calls.
    package struct Calls: Equatable, Sendable {
        /// Whether the running one does.
        package var before: Bool
        /// Whether the new one does.
        package var after: Bool

        /// Creates it.
        package init(before: Bool, after: Bool) {
            self.before = before
            self.after = after
        }
    }

    // MARK: - Deciding

    private static func cut(
        _ change: ComponentChange,
        _ facts: Facts?
    ) -> (SwapIntent.Cut, String) {
        if change.needsBarrier {
            let names = change.parts.filter { part in
                switch part.kind {
                case .broadcast, .operatorState, .snapshot: part.verdict != .asIs
                case .state, .timer, .port: false
                }
            }.map { "'\($0.name)'" }
            return (
                .barrier,
                "state that belongs to no key changes: \(names.joined(separator: ", "))"
            )
        }
        if let facts, facts.operatorCount > 1 {
            return (.barrier, "\(facts.operatorCount) operators change together")
        }
        if let facts, facts.isGuarded, facts.hasCheckpoints {
            return (.barrier, "a probation begins with a checkpoint")
        }
        return (.boundary, "each subtask changes over by itself, between two batches")
    }

    private static func rung(_ change: ComponentChange, _ facts: Facts?) -> (Rung, String) {
        if let facts, facts.isGuarded, facts.hasCheckpoints, facts.isExactlyOnce {
            return (.rewind, "output since the cut is held back until the swap is committed")
        }
        if change.goesBack {
            let reason =
                change.keepsRows
                ? "the old version reads what the new one has written; what it emits stays"
                : "the new version's state can be brought back; what it emits stays"
            return (.downgrade, reason)
        }
        let lost = change.parts.filter { !$0.goesBack && $0.verdict != .asIs }
        let whys = lost.map { part -> String in
            switch part.verdict {
            case .asIs, .incompatible: "'\(part.name)' does not fit"
            case .migrate:
                part.kind == .state
                    ? "'\(part.name)' is not brought back (no APUS_MIGRATES_BACK)"
                    : "\(part.kind.noun) is not brought back ('\(part.name)')"
            case .new: "'\(part.name)' is new, and would be lost"
            case .dropped: "'\(part.name)' was dropped, and is gone"
            }
        }
        let without =
            switch facts {
            case .some(let facts) where facts.isGuarded && !facts.hasCheckpoints:
                "the job takes no checkpoints"
            case .some(let facts) where facts.isGuarded:
                "not all sinks hold output back until a checkpoint (delivery: exactly-once)"
            default: "without --guard"
            }
        return (.none, "\(without); \(whys.joined(separator: ", "))")
    }

    private static func refusals(
        _ change: ComponentChange,
        _ cut: SwapIntent.Cut,
        _ facts: Facts?
    ) -> [String] {
        var refusals = change.obstacles.map { part in
            "\(part.kind.rawValue) '\(part.name)': \(part.reason ?? "it cannot be taken over")"
        }
        if cut == .barrier, let facts, !facts.hasCheckpoints {
            refusals.append(
                "the swap has to be cut at a checkpoint barrier, and the job takes no checkpoints; "
                    + "give it a `checkpoint:` in its job file"
            )
        }
        return refusals
    }

    private static func warnings(
        _ from: PluginVersion,
        _ to: PluginVersion,
        _ change: ComponentChange,
        _ calls: Calls?
    ) -> [String] {
        var warnings: [String] = []
        if from.isSame(as: to) {
            warnings.append("both are the same component of the same file content")
        } else if from.plugin != to.plugin {
            warnings.append(
                "the new file is of another plugin: '\(to.plugin)', and not '\(from.plugin)'"
            )
        }
        if from.component != to.component {
            warnings.append(
                "the component is another one: '\(to.component)', and not '\(from.component)'"
            )
        }
        for part in change.parts where part.verdict == .dropped {
            warnings.append(
                "\(part.kind.rawValue) '\(part.name)' is dropped: what there is of it goes"
            )
        }
        for part in change.parts where part.kind == .snapshot && part.verdict == .migrate {
            warnings.append(
                "the private snapshot goes from version \(part.fromVersion ?? 0) to "
                    + "\(part.toVersion ?? 0): only the plugin knows whether it can read it"
            )
        }
        if let calls, calls.before {
            warnings.append(
                calls.after
                    ? "asynchronous calls under way are begun again by the new version"
                    : "the new version makes no asynchronous calls: records whose calls are under "
                        + "way are processed anew, and `async:` has to leave the job file"
            )
        }
        return warnings
    }
}
