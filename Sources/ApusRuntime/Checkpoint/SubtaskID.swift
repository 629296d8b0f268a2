/// One subtask of one node of the plan.
struct SubtaskID: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The node's index in the plan.
    let nodeIndex: Int
    /// Its id in the job, for people.
    let node: String
    /// The subtask.
    let subtask: Int

    var description: String { "'\(node)' subtask \(subtask)" }

    static func < (left: SubtaskID, right: SubtaskID) -> Bool {
        (left.nodeIndex, left.subtask) < (right.nodeIndex, right.subtask)
    }
}
