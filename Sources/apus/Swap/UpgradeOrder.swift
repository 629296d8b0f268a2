import ApusSwap

/// What a running job is to become, and how; the parameters of `job.plan` and `job.upgrade`.
struct UpgradeOrder: Codable, Sendable {
    /// The new job file's path, from the root.
    var file: String
    /// Nodes whose part of the checkpoint is given up when the job stays with the new file.
    var droppedState: [String] = []
    /// How long the new graph is on probation, in microseconds; nil for not at all.
    var guardMicroseconds: Int64?
    /// What it has to keep to meanwhile.
    var limits = SwapLimits()
    /// Whether the answer is wanted as soon as the new graph is in force.
    var isDetached = false

    /// What of it is the same in a swap: the probation.
    var trial: SwapOrder {
        var order = SwapOrder(changes: [])
        order.guardMicroseconds = guardMicroseconds
        order.limits = limits
        order.isDetached = isDetached
        return order
    }
}
