import ApusState
import CApusPlugin

extension DescriptionReader {
    /// The size in ABI 0.2; what lies behind is zero in a plugin of that version.
    private static let oldDeclarationByteCount =
        MemoryLayout<apus_operator_state_decl>.offset(of: \.min_readable) ?? 0

    /// Reads the declarations of operator state; none of a plugin whose headers had none.
    func readOperatorStates(
        _ value: apus_component,
        _ id: String
    ) throws(PluginError) -> [OperatorStateDescription] {
        guard value.operator_state_count <= RowLayout.slotCountMax else {
            throw bad("'\(id)' declares \(value.operator_state_count) operator states; at most 32")
        }
        var states: [OperatorStateDescription] = []
        let count = try count(
            value.operator_state_count,
            value.operator_states,
            "operator states"
        )
        for index in 0..<Int(count) {
            guard let state = value.operator_states[index] else {
                throw bad("operator state \(index) is NULL")
            }
            states.append(try readOperatorState(state, index, id))
        }
        return states
    }

    private func readOperatorState(
        _ state: UnsafePointer<apus_operator_state_decl>,
        _ index: Int,
        _ id: String
    ) throws(PluginError) -> OperatorStateDescription {
        let place = "operator state \(index)"
        // SAFETY: the size says that the fields are there; the declaration is valid for ever by
        // contract.
        try check(state.pointee.size, Self.oldDeclarationByteCount, place)
        let value = Self.copy(state, size: state.pointee.size, apus_operator_state_decl())
        let stateName = try name(value.name, "the name of \(place) of '\(id)'")
        let redistribution: OperatorStateRedistribution
        switch value.redistribution {
        case APUS_SPLIT: redistribution = .split
        case APUS_UNION: redistribution = .union
        default:
            throw bad(
                "state '\(stateName)' of '\(id)' has the redistribution "
                    + "\(value.redistribution); expected APUS_SPLIT (1) or APUS_UNION (2)"
            )
        }
        guard (1...65_535).contains(value.schema_version) else {
            throw bad(
                "state '\(stateName)' of '\(id)' has schema_version \(value.schema_version); "
                    + "expected 1 to 65,535"
            )
        }
        return OperatorStateDescription(
            name: stateName,
            redistribution: redistribution,
            schemaVersion: Int(value.schema_version),
            schema: try text(value.schema, "the schema of '\(stateName)'"),
            migration: try migration(
                current: value.schema_version,
                oldest: value.min_readable,
                isGiven: value.migrate != nil,
                renamedFrom: value.renamed_from,
                "state '\(stateName)' of '\(id)'"
            )
        )
    }
}
