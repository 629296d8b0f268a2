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
    /// The way back once the new version was called.
    package var rung: Rung
    /// Why it is that one.
    package var rungReason: String

    /// Makes a plan.
    package init(
        operator: String,
        from: PluginVersion,
        to: PluginVersion,
        change: ComponentChange,
        facts: Facts
    ) {
        self.operator = `operator`
        self.from = from
        self.to = to
        self.change = change
        if facts.isGuarded, facts.hasCheckpoints, facts.isExactlyOnce {
            rung = .rewind
            rungReason = "output since the cut is held back until the swap is committed"
        } else if change.goesBack {
            rung = .downgrade
            rungReason = "the new version's state can be brought back; what it emits stays"
        } else {
            rung = .none
            rungReason =
                "the swap has no --guard or the job no checkpoints, and the new version does not "
                + "bring its state back (migration_flags)"
        }
    }

    /// Whether the swap cannot be done.
    package var isRefused: Bool { !change.obstacles.isEmpty }

    /// The plan for people.
    package var text: String {
        var lines = ["\(`operator`): \(from.text) -> \(to.text)"]
        for part in change.parts {
            let versions = [part.fromVersion, part.toVersion].map { $0.map(String.init) ?? "-" }
            lines.append(
                "  \(part.kind.rawValue) \(part.name)  \(versions.joined(separator: " -> "))  "
                    + part.verdict.rawValue + (part.reason.map { ": \($0)" } ?? "")
            )
        }
        lines.append("  way back: \(rung.rawValue): \(rungReason)")
        return lines.joined(separator: "\n")
    }
}
