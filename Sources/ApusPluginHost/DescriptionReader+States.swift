import ApusState
import CApusPlugin

extension DescriptionReader {
    /// The size in ABI 0.1 and 0.2; what lies behind is zero in a plugin of those versions.
    private static let oldStateByteCount =
        MemoryLayout<apus_state_decl>.offset(of: \.min_readable) ?? 0

    private func readState(
        _ pointer: UnsafePointer<apus_state_decl>,
        _ place: String
    ) throws(PluginError) -> apus_state_decl {
        // SAFETY: only as many bytes are read as the declaration says it has; valid for ever.
        try check(pointer.pointee.size, Self.oldStateByteCount, place)
        return Self.copy(pointer, size: pointer.pointee.size, apus_state_decl())
    }

    /// What a declaration says of older versions of its bytes.
    func migration(
        current: UInt32,
        oldest: UInt32,
        isGiven: Bool,
        flags: UInt32 = 0,
        renamedFrom: apus_str,
        _ subject: String
    ) throws(PluginError) -> MigrationDescription {
        guard oldest <= current else {
            throw bad(
                "\(subject) has min_readable \(oldest), above its schema_version \(current); "
                    + "it is the oldest version that migrate takes"
            )
        }
        guard oldest == 0 || oldest == current || isGiven else {
            throw bad(
                "\(subject) promises to read versions from \(oldest) on, but has no migrate"
            )
        }
        let old = renamedFrom.len == 0 ? nil : try name(renamedFrom, "renamed_from of \(subject)")
        return MigrationDescription(
            oldestReadable: oldest == 0 ? Int(current) : Int(oldest),
            isGiven: isGiven,
            isReversible: isGiven && flags & UInt32(APUS_MIGRATES_BACK) != 0,
            renamedFrom: old
        )
    }

    func readStates(
        _ value: apus_component,
        _ id: String
    ) throws(PluginError) -> [StateDescription] {
        guard value.state_count <= RowLayout.slotCountMax else {
            throw bad("'\(id)' declares \(value.state_count) states; at most 32")
        }
        var states: [StateDescription] = []
        for index in 0..<Int(try count(value.state_count, value.states, "states")) {
            guard let pointer = value.states[index] else { throw bad("state \(index) is NULL") }
            let state = try readState(pointer, "state \(index)")
            let slotName = try name(state.name, "the name of state \(index) of '\(id)'")
            let subject = "state '\(slotName)' of '\(id)'"
            guard state.schema_version >= 1 else {
                throw bad("\(subject) has schema_version 0; begin with 1")
            }
            guard let version = UInt16(exactly: state.schema_version) else {
                throw bad("\(subject) has schema_version \(state.schema_version); at most 65,535")
            }
            let kind = try slotKind(state, subject)
            states.append(
                StateDescription(
                    slot: SlotDescription(name: slotName, kind: kind, schemaVersion: version),
                    schemaVersion: Int(state.schema_version),
                    schema: try text(state.schema, "the schema of '\(slotName)'"),
                    migration: try migration(
                        current: state.schema_version,
                        oldest: state.min_readable,
                        isGiven: state.migrate != nil,
                        flags: state.migration_flags,
                        renamedFrom: state.renamed_from,
                        subject
                    )
                )
            )
        }
        try checkUnique(states.map(\.slot.name), "state of '\(id)'")
        return states
    }

    func slotKind(
        _ state: apus_state_decl,
        _ subject: String
    ) throws(PluginError) -> SlotDescription.Kind {
        if state.fixed_len > 0 {
            guard state.kind == UInt32(APUS_STATE_VALUE), state.fixed_len <= 65_536 else {
                throw bad(
                    "\(subject): fixed_len is for VALUE, 1 to 65,536; found \(state.fixed_len)"
                )
            }
            return .fixedValue(byteCount: Int(state.fixed_len))
        }
        switch Int32(bitPattern: state.kind) {
        case APUS_STATE_VALUE: return .value
        case APUS_STATE_COUNTER: return .counter
        case APUS_STATE_LIST: return .list
        case APUS_STATE_MAP: return .map
        case APUS_STATE_BROADCAST:
            throw bad("\(subject): broadcast state belongs in `broadcasts`, not in `states`")
        default: throw bad("\(subject): unknown kind \(state.kind)")
        }
    }

    func readBroadcasts(
        _ value: apus_component,
        _ functions: apus_operator_vt?,
        _ id: String
    ) throws(PluginError) -> [BroadcastDescription] {
        guard value.broadcast_count <= RowLayout.slotCountMax else {
            throw bad("'\(id)' declares \(value.broadcast_count) broadcast states; at most 32")
        }
        guard value.broadcast_input_count <= Self.countMax else {
            throw bad(
                "'\(id)' takes \(value.broadcast_input_count) broadcast inputs; at most "
                    + "\(Self.countMax)"
            )
        }
        let needsFunction = value.broadcast_input_count > 0 || value.broadcast_count > 0
        guard !needsFunction || functions?.process_broadcast != nil else {
            throw bad("'\(id)' has broadcast inputs or states but no process_broadcast")
        }
        guard value.broadcast_count == 0 || value.broadcast_input_count > 0 else {
            throw bad("'\(id)' has broadcast states but no broadcast input to change them")
        }
        var broadcasts: [BroadcastDescription] = []
        for index
            in 0..<Int(
                try count(value.broadcast_count, value.broadcasts, "broadcast states")
            )
        {
            guard let pointer = value.broadcasts[index] else {
                throw bad("broadcast state \(index) is NULL")
            }
            let place = "broadcast state \(index)"
            let state = try readState(pointer, place)
            let stateName = try name(state.name, "the name of \(place) of '\(id)'")
            guard state.kind == UInt32(APUS_STATE_BROADCAST), state.fixed_len == 0
            else {
                throw bad(
                    "'\(stateName)' of '\(id)' is of kind \(state.kind) with fixed_len "
                        + "\(state.fixed_len); expected APUS_STATE_BROADCAST (5) with 0"
                )
            }
            guard (1...65_535).contains(state.schema_version) else {
                throw bad(
                    "state '\(stateName)' of '\(id)' has schema_version "
                        + "\(state.schema_version); expected 1 to 65,535"
                )
            }
            broadcasts.append(
                BroadcastDescription(
                    name: stateName,
                    schemaVersion: Int(state.schema_version),
                    schema: try text(state.schema, "the schema of '\(stateName)'"),
                    migration: try migration(
                        current: state.schema_version,
                        oldest: state.min_readable,
                        isGiven: state.migrate != nil,
                        flags: state.migration_flags,
                        renamedFrom: state.renamed_from,
                        "state '\(stateName)' of '\(id)'"
                    )
                )
            )
        }
        return broadcasts
    }
}
