import ApusCheckpoint
package import ApusState

/// The operator state of an operator in a checkpoint, as tools show it.
package struct OperatorStateContent: Equatable, Sendable {
    /// The operator's number.
    package let operatorNumber: UInt16
    /// The operator's id.
    package let `operator`: String
    /// The lists, in the order of their declaration.
    package internal(set) var lists: [List]

    /// A list.
    package struct List: Equatable, Sendable {
        /// Its name.
        package let name: String
        /// Who gets the items at a restore: "split" or "union".
        package let redistribution: String
        /// What the bytes mean, by the operator's numbering.
        package let schemaVersion: Int
        /// The items of each subtask.
        package internal(set) var subtasks: [OperatorStateItems]

        /// How many items there are.
        package var itemCount: Int { subtasks.reduce(0) { $0 + $1.count } }

        /// The bytes of all items.
        package var byteCount: Int {
            subtasks.reduce(0) { $1.reduce($0) { $0 + $1.count } }
        }
    }
}

extension OperatorStateContent {
    /// What an operator has in a checkpoint or savepoint; nil for none.
    ///
    /// - Throws: ``StateToolError`` when the file is damaged.
    init?(_ state: OperatorState, in files: OwnFileReader) throws(StateToolError) {
        guard let reference = state.operatorState else { return nil }
        let subtasks = try files.read(
            reference.contentName,
            "the operator state of operator '\(state.id)'"
        ) { bytes in
            let subtasks = OperatorStateFile.decode(bytes)
            let isWhole = subtasks?.allSatisfy { $0.count == reference.lists.count } ?? false
            return isWhole ? subtasks : nil
        }
        guard let subtasks else { return nil }
        self.init(
            operatorNumber: state.number,
            operator: state.id,
            lists: reference.lists.enumerated().map { index, list in
                List(
                    name: list.name,
                    redistribution: list.redistribution,
                    schemaVersion: list.schemaVersion,
                    subtasks: subtasks.map { $0[index] }
                )
            }
        )
    }

    /// The bytes of the file that holds this.
    var fileBytes: [UInt8] {
        let subtaskCount = lists.first?.subtasks.count ?? 0
        return OperatorStateFile.encode(
            (0..<subtaskCount).map { subtask in lists.map { $0.subtasks[subtask] } }
        )
    }
}
