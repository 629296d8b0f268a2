extension ComponentChange {
    /// Compares two versions of an operator.
    ///
    /// - Parameters:
    ///   - old: What runs.
    ///   - new: What is to take over.
    package init(from old: ComponentShape, to new: ComponentShape) {
        var parts = Self.ports(old, new)
        parts += Self.states(old.states, new.states, .state)
        parts += Self.timers(old.timers, new.timers)
        parts += Self.states(old.broadcasts, new.broadcasts, .broadcast)
        parts += Self.states(old.operatorStates, new.operatorStates, .operatorState)
        parts += Self.snapshot(old, new)
        Self.refuseOtherHomes(&parts)
        self.init(parts: parts)
    }

    /// A name that is a state of a key before and of the whole operator afterwards, or the other
    /// way round, is no new state: it was meant to go on.
    private static func refuseOtherHomes(_ parts: inout [Part]) {
        // States share their names; a timer may have that of a state.
        let homes: [Kind] = [.state, .broadcast, .operatorState]
        for index in parts.indices where parts[index].verdict == .new {
            let part = parts[index]
            guard homes.contains(part.kind),
                let other = parts.first(where: {
                    $0.verdict == .dropped && $0.name == part.name && homes.contains($0.kind)
                })
            else { continue }
            refuse(
                &parts[index],
                "is \(other.kind.noun) in the running version and \(part.kind.noun) in the new "
                    + "one; give the new one another name, and fill it as records come"
            )
        }
    }

    // MARK: - Ports

    private static func ports(_ old: ComponentShape, _ new: ComponentShape) -> [Part] {
        var parts: [Part] = []
        func refuse(_ name: String, _ reason: String) {
            parts.append(Part(.port, name, .incompatible, reason: reason))
        }
        if old.isKeyed != new.isKeyed {
            refuse(
                "keys",
                "the running version is \(word(old.isKeyed)), the new one \(word(new.isKeyed)); "
                    + "that changes how records are dealt out: use `apus job upgrade`"
            )
        }
        if old.isKeyed, new.isKeyed, old.acceptsMissingKey, !new.acceptsMissingKey {
            refuse(
                "keys",
                "the running version takes records without a key, and the new one does not; keep "
                    + "APUS_ACCEPTS_NULL_KEY, or use `apus job upgrade`"
            )
        }
        if new.inputCount < old.inputCount {
            refuse(
                "inputs",
                "expected \(old.inputCount) inputs, as the running version has, found "
                    + "\(new.inputCount)"
            )
        }
        if new.broadcastInputCount < old.broadcastInputCount {
            refuse(
                "broadcast inputs",
                "expected \(old.broadcastInputCount), as the running version has, found "
                    + "\(new.broadcastInputCount)"
            )
        }
        if old.outputs != new.outputs {
            refuse(
                "outputs",
                "expected \(old.outputs.joined(separator: ", ")), as the running version has, "
                    + "found \(new.outputs.joined(separator: ", ")); a change of outputs is a "
                    + "change of the graph: use `apus job upgrade`"
            )
        }
        return parts
    }

    private static func word(_ isKeyed: Bool) -> String { isKeyed ? "keyed" : "not keyed" }

    // MARK: - States

    private static func states(
        _ old: [ComponentShape.State],
        _ new: [ComponentShape.State],
        _ kind: Kind
    ) -> [Part] {
        var taken: Set<Int> = []
        var parts = new.enumerated().map { index, state -> Part in
            let origin =
                old.firstIndex { $0.name == state.name }
                ?? state.migration.renamedFrom.flatMap { name in
                    old.firstIndex { $0.name == name }
                }
            guard let origin else {
                return Part(
                    kind,
                    state.name,
                    .new,
                    newIndex: index,
                    toVersion: state.schemaVersion
                )
            }
            let isFirst = taken.insert(origin).inserted
            var part = Part(
                kind,
                state.name,
                .asIs,
                oldIndex: origin,
                newIndex: index,
                fromVersion: old[origin].schemaVersion,
                toVersion: state.schemaVersion,
                goesBack: state.migration.goesBack ?? false
            )
            judge(&part, old[origin], state)
            let source = old[origin].name
            if !isFirst || source != state.name && new.contains(where: { $0.name == source }) {
                refuse(
                    &part,
                    "was '\(source)' by its renamed_from, and another state of the new version is "
                        + "'\(source)' or was it too; leave one of them without renamed_from, or "
                        + "give it another name"
                )
            }
            return part
        }
        for (index, state) in old.enumerated() where !taken.contains(index) {
            parts.append(
                Part(
                    kind,
                    state.name,
                    .dropped,
                    oldIndex: index,
                    fromVersion: state.schemaVersion
                )
            )
        }
        return parts
    }

    private static func judge(
        _ part: inout Part,
        _ old: ComponentShape.State,
        _ new: ComponentShape.State
    ) {
        guard old.kind == new.kind else {
            return refuse(
                &part,
                "is a \(old.kind) in the running version and a \(new.kind) in the new one; give "
                    + "the new kind another name, and fill it as records come"
            )
        }
        if let reason = versionProblem(old.schemaVersion, new.schemaVersion, new.migration) {
            return refuse(&part, reason)
        }
        if old.schemaVersion == new.schemaVersion {
            guard old.fixedByteCount == new.fixedByteCount else {
                return refuse(
                    &part,
                    "has \(length(old)) in the running version and \(length(new)) in the new one, "
                        + "both of schema version \(new.schemaVersion); raise schema_version, and "
                        + "give it a migrate"
                )
            }
            part.goesBack = true
            return
        }
        part.verdict = .migrate
    }

    private static func length(_ state: ComponentShape.State) -> String {
        state.fixedByteCount.map { "\($0) bytes" } ?? "any number of bytes"
    }

    /// Why bytes of one version cannot become bytes of another; nil when they can.
    private static func versionProblem(
        _ old: Int,
        _ new: Int,
        _ migration: ComponentShape.Migration
    ) -> String? {
        if old == new { return nil }
        if old > new {
            return "has schema version \(old) in the running version and \(new) in the new one; "
                + "to go back to an older version, use `apus swap rollback`"
        }
        let oldest = migration.readsFrom ?? new
        guard oldest > old else { return nil }
        return "has schema version \(old) in the running version, and the new one reads versions "
            + "from \(oldest) on; give it a migrate with min_readable \(old), or swap to a version "
            + "in between first"
    }

    private static func refuse(_ part: inout Part, _ reason: String) {
        part.verdict = .incompatible
        part.reason = reason
    }

    // MARK: - Timers

    private static func timers(
        _ old: [ComponentShape.Timer],
        _ new: [ComponentShape.Timer]
    ) -> [Part] {
        var parts = new.enumerated().map { index, timer -> Part in
            guard let origin = old.firstIndex(where: { $0.name == timer.name }) else {
                return Part(
                    .timer,
                    timer.name,
                    .new,
                    newIndex: index,
                    toVersion: timer.schemaVersion
                )
            }
            let before = old[origin]
            var part = Part(
                .timer,
                timer.name,
                before.schemaVersion == timer.schemaVersion ? .asIs : .migrate,
                oldIndex: origin,
                newIndex: index,
                fromVersion: before.schemaVersion,
                toVersion: timer.schemaVersion,
                goesBack: before.schemaVersion == timer.schemaVersion
            )
            if before.domain != timer.domain {
                refuse(
                    &part,
                    "fires in \(before.domain) time in the running version and in "
                        + "\(timer.domain) time in the new one; give the new one another name"
                )
            } else if let reason = versionProblem(
                before.schemaVersion,
                timer.schemaVersion,
                timer.migration
            ) {
                refuse(&part, reason)
            }
            return part
        }
        for (index, timer) in old.enumerated() where !new.contains(where: { $0.name == timer.name })
        {
            parts.append(
                Part(
                    .timer,
                    timer.name,
                    .incompatible,
                    oldIndex: index,
                    fromVersion: timer.schemaVersion,
                    reason: "the new version has no timer of that name, and armed ones would never "
                        + "fire; keep the timer, and do nothing when it fires"
                )
            )
        }
        return parts
    }

    // MARK: - The private snapshot

    private static func snapshot(_ old: ComponentShape, _ new: ComponentShape) -> [Part] {
        switch (old.snapshotVersion, new.snapshotVersion) {
        case (nil, nil): []
        case (nil, let version?):
            [Part(.snapshot, "private snapshot", .new, newIndex: 0, toVersion: version)]
        case (let version?, nil):
            [Part(.snapshot, "private snapshot", .dropped, oldIndex: 0, fromVersion: version)]
        case (let before?, let after?):
            // What load makes of an older version is the plugin's own business; a newer one it
            // cannot know.
            before > after
                ? [
                    Part(
                        .snapshot,
                        "private snapshot",
                        .incompatible,
                        oldIndex: 0,
                        newIndex: 0,
                        fromVersion: before,
                        toVersion: after,
                        reason: versionProblem(before, after, ComponentShape.Migration())
                    )
                ]
                : [
                    Part(
                        .snapshot,
                        "private snapshot",
                        before == after ? .asIs : .migrate,
                        oldIndex: 0,
                        newIndex: 0,
                        fromVersion: before,
                        toVersion: after,
                        goesBack: before == after
                    )
                ]
        }
    }
}
