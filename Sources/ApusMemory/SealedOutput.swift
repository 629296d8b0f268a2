/// The output of a subtask of a sink in one epoch, complete and unchangeable.
package struct SealedOutput: Equatable, Sendable {
    /// The sink's id in the job.
    package let sink: String
    /// Which subtask of the sink.
    package let subtask: Int
    /// The epoch.
    package let epoch: UInt64
    /// The file that has the output, bytes as they are to be delivered; nil when there is none.
    package let logPath: String?
    /// The file's size; 0 when there is none.
    package let byteCount: Int

    /// Creates a description; see the properties.
    package init(sink: String, subtask: Int, epoch: UInt64, logPath: String?, byteCount: Int) {
        precondition((logPath == nil) == (byteCount == 0), "a log is there when it has bytes")
        self.sink = sink
        self.subtask = subtask
        self.epoch = epoch
        self.logPath = logPath
        self.byteCount = byteCount
    }
}

extension SealedOutput {
    /// The same output where its log has another path, for example in the folder of checkpoints.
    package func at(_ logPath: String?) -> SealedOutput {
        SealedOutput(
            sink: sink,
            subtask: subtask,
            epoch: epoch,
            logPath: logPath,
            byteCount: byteCount
        )
    }
}
