/// What a subtask of a sink had still to do.
package struct SinkState: Codable, Equatable, Sendable {
    /// The sink's id in the job file.
    package var id: String
    /// The subtask's index.
    package var subtask: Int
    /// What the sink needs in order to go on; its own.
    @Base64Bytes package var position: [UInt8]
    /// Sealed output that may not have been delivered, oldest first.
    package var undelivered: [UndeliveredLog]

    /// Creates a description.
    ///
    /// - Parameters:
    ///   - id: The sink's id.
    ///   - subtask: The subtask's index.
    ///   - position: What the sink needs in order to go on.
    ///   - undelivered: Sealed output that may not have been delivered.
    package init(
        id: String,
        subtask: Int,
        position: [UInt8] = [],
        undelivered: [UndeliveredLog] = []
    ) {
        self.id = id
        self.subtask = subtask
        self.position = position
        self.undelivered = undelivered
    }
}

/// The sealed output of an epoch.
package struct UndeliveredLog: Codable, Equatable, Sendable {
    /// The epoch.
    package var epoch: UInt64
    /// The file in `files/`.
    package var contentName: String

    /// Creates a reference.
    ///
    /// - Parameters:
    ///   - epoch: The epoch.
    ///   - contentName: The file in `files/`.
    package init(epoch: UInt64, contentName: String) {
        self.epoch = epoch
        self.contentName = contentName
    }
}
