/// What a task thread drives: the start of a chain on this thread.
protocol Head: AnyObject {
    /// The node at which the chain starts; nodes are in topological order.
    var nodeIndex: Int { get }

    /// Whether nothing will ever be done here again.
    var isFinished: Bool { get }

    /// Whether looking again soon is worth it although nobody rings: a file that may grow.
    var isPolling: Bool { get }

    /// Whether there is input waiting.
    var hasInput: Bool { get }

    /// Does a bounded amount of work.
    ///
    /// - Returns: Whether there was any.
    func step() throws(JobFailure) -> Bool

    /// Gives back what is held when the job was broken off.
    func abandon()
}
