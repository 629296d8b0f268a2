/// Who gets the items of an operator state when a job goes on from a checkpoint.
package enum OperatorStateRedistribution: String, Equatable, Sendable {
    /// Each item goes to one subtask.
    case split
    /// Each subtask gets all items.
    case union
    /// As many subtasks as before get their own; otherwise each gets all items.
    case snapshot

    /// The items that a subtask gets.
    ///
    /// - Parameters:
    ///   - old: The items of each subtask that there was.
    ///   - subtask: Who gets them.
    ///   - subtaskCount: How many subtasks there are now.
    /// - Returns: Its own when as many subtasks split them as before; otherwise a part of all, in
    ///   the order of the old subtasks and their positions.
    package func items(
        of old: [OperatorStateItems],
        forSubtask subtask: Int,
        of subtaskCount: Int
    ) -> OperatorStateItems {
        if self != .union, old.count == subtaskCount { return old[subtask] }
        let all = old.flatMap { $0 }
        guard self == .split else { return all }
        let start = subtask * all.count / subtaskCount
        let end = (subtask + 1) * all.count / subtaskCount
        return Array(all[start..<end])
    }
}
