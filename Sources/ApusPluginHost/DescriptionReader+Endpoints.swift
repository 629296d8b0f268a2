import ApusState
import CApusPlugin

/// What sources, sinks and codecs say of themselves, and private snapshots.
extension DescriptionReader {
    /// What a sink or a codec can do; its table has been checked.
    func abilities(_ value: apus_component, _ kind: ComponentKind) -> Abilities {
        var abilities: Abilities = []
        // SAFETY: the kind says what the table is, and its size was checked.
        switch kind {
        case .source, .operator:
            break
        case .sink:
            guard let table = value.vt?.assumingMemoryBound(to: apus_sink_vt.self) else { break }
            if table.pointee.flush != nil { abilities.insert(.flush) }
            if table.pointee.commit != nil { abilities.insert(.commit) }
        case .codec:
            guard let table = value.vt?.assumingMemoryBound(to: apus_codec_vt.self) else { break }
            if table.pointee.decode != nil { abilities.insert(.decode) }
            if table.pointee.encode != nil { abilities.insert(.encode) }
        }
        return abilities
    }

    /// Refuses what only operators have.
    func checkStateless(
        _ value: apus_component,
        _ kind: ComponentKind,
        _ id: String
    ) throws(PluginError) {
        guard kind != .operator else { return }
        let counts = [
            (value.state_count, "states"), (value.timer_count, "timers"),
            (value.broadcast_count, "broadcast states"),
            (value.broadcast_input_count, "broadcast inputs"),
            (value.operator_state_count, "operator states"),
        ]
        for (count, what) in counts where count > 0 {
            throw bad("'\(id)' is a \(kind) and declares \(what), which only operators have")
        }
        guard value.flags & (APUS_KEYED | APUS_ASYNCHRONOUS) == 0 else {
            throw bad(
                "'\(id)' is a \(kind) and says APUS_KEYED or APUS_ASYNCHRONOUS, which only "
                    + "operators are"
            )
        }
    }

    /// The version of a component's private snapshot; nil when it has none.
    func readSnapshot(
        _ component: UnsafePointer<apus_component>,
        _ value: apus_component,
        _ kind: ComponentKind,
        _ id: String
    ) throws(PluginError) -> Int? {
        guard value.get_extension != nil else { return nil }
        let site = CallSite("plugin \(file), component \(id)")
        guard let snapshot = PrivateSnapshot.find(component, site) else { return nil }
        try check(
            snapshot.pointee.size,
            MemoryLayout<apus_snapshot>.size,
            "'\(id)'s \(APUS_SNAPSHOT)"
        )
        guard kind == .operator else {
            throw bad("'\(id)' is a \(kind) and has \(APUS_SNAPSHOT), which only operators have")
        }
        guard snapshot.pointee.save != nil, snapshot.pointee.load != nil,
            (1...65_535).contains(snapshot.pointee.version)
        else {
            throw bad(
                "'\(id)'s \(APUS_SNAPSHOT) lacks save or load, or has version "
                    + "\(snapshot.pointee.version); expected 1 to 65,535"
            )
        }
        return Int(snapshot.pointee.version)
    }

    /// The hidden operator state that holds a private snapshot.
    func snapshotStates(version: Int?) -> [OperatorStateDescription] {
        guard let version else { return [] }
        return [
            OperatorStateDescription(
                name: PrivateSnapshot.stateName,
                redistribution: .snapshot,
                schemaVersion: version,
                schema: "",
                migration: MigrationDescription(
                    oldestReadable: version,
                    isGiven: false,
                    isReversible: false,
                    renamedFrom: nil
                )
            )
        ]
    }
}
