import ApusPluginHost
import ApusSwap

extension ComponentChange {
    /// What becomes of the parts of a kind that go on, as a migration needs it.
    func moves(_ kind: Kind, isBack: Bool = false) -> [StateMigration.Move] {
        parts.compactMap { part in
            guard part.kind == kind, let old = part.oldIndex, let new = part.newIndex,
                let from = part.fromVersion, let to = part.toVersion
            else { return nil }
            return isBack
                ? StateMigration.Move(old: new, new: old, from: to, to: from)
                : StateMigration.Move(old: old, new: new, from: from, to: to)
        }
    }

    /// Whether the new version reads broadcast states as they lie.
    var keepsBroadcasts: Bool {
        parts.allSatisfy { part in
            guard part.kind == .broadcast else { return true }
            return part.verdict == .asIs && part.oldIndex == part.newIndex
        }
    }

    /// The step from the old version to the new one, or back.
    func step(
        by implementation: JobEnvironment.Implementation,
        owner: String,
        isBack: Bool
    ) throws(PluginError) -> StateMigration.Step {
        try StateMigration.Step(
            plugin: implementation.plugin,
            component: implementation.component,
            owner: owner,
            slots: moves(.state, isBack: isBack),
            timers: moves(.timer, isBack: isBack),
            broadcasts: moves(.broadcast, isBack: isBack),
            operatorStates: moves(.operatorState, isBack: isBack),
            isBack: isBack
        )
    }
}
