import ApusCheckpoint
import ApusPluginHost
import ApusState

/// The operator state of an operator on its way into a checkpoint, of all its subtasks together.
///
/// On the checkpoint thread.
struct OperatorStateCheckpoint {
    private let declared: [OperatorStateDescription]
    private let subtasks: [OperatorStateSnapshot]

    /// Takes the operator state out of the reports of an operator's subtasks.
    ///
    /// - Returns: Nil for an operator that has none.
    init?(_ description: ComponentDescription, _ reports: [SubtaskReport]) {
        guard !description.operatorStates.isEmpty else { return nil }
        declared = description.operatorStates
        subtasks = reports.sorted { $0.subtask < $1.subtask }
            .compactMap { report in
                guard case .operator(let snapshot) = report.content else { return nil }
                return snapshot.operatorState
            }
        precondition(subtasks.count == reports.count, "each subtask has walked its lists")
    }

    /// What the file holds.
    var bytes: [UInt8] { OperatorStateFile.encode(subtasks) }

    /// What the manifest says.
    func reference(to file: FileEntry) -> OperatorStateReference {
        let lists = declared.enumerated().map { index, state in
            OperatorStateReference.List(
                name: state.name,
                redistribution: state.redistribution.rawValue,
                schemaVersion: state.schemaVersion,
                schema: state.schema,
                itemCount: subtasks.reduce(0) { $0 + $1.itemCounts[index] }
            )
        }
        return OperatorStateReference(lists: lists, contentName: file.contentName)
    }
}
