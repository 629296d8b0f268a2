/// Where a subtask of a source was.
package struct SourceState: Codable, Equatable, Sendable {
    /// The source's id in the job file.
    package var id: String
    /// What kind of source it is: "file".
    package var kind: String
    /// The subtask's index.
    package var subtask: Int
    /// How many subtasks share the source's input.
    package var subtaskCount: Int
    /// What the source needs in order to go on; its own.
    @Base64Bytes package var position: [UInt8]
    /// The newest event time that it has seen, in microseconds; nil when it has seen none.
    package var newestMicroseconds: Int64?
    /// Its watermark in microseconds; nil when there was none yet.
    package var watermarkMicroseconds: Int64?

    /// Creates a description.
    ///
    /// - Parameters:
    ///   - id: The source's id.
    ///   - kind: What kind of source it is.
    ///   - subtask: The subtask's index.
    ///   - subtaskCount: How many subtasks share the input.
    ///   - position: What the source needs in order to go on.
    ///   - newestMicroseconds: The newest event time that it has seen.
    ///   - watermarkMicroseconds: Its watermark.
    package init(
        id: String,
        kind: String,
        subtask: Int,
        subtaskCount: Int,
        position: [UInt8],
        newestMicroseconds: Int64? = nil,
        watermarkMicroseconds: Int64? = nil
    ) {
        self.id = id
        self.kind = kind
        self.subtask = subtask
        self.subtaskCount = subtaskCount
        self.position = position
        self.newestMicroseconds = newestMicroseconds
        self.watermarkMicroseconds = watermarkMicroseconds
    }
}
