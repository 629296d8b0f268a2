/// Records that were on their way to a subtask.
package struct InFlight: Codable, Equatable, Sendable {
    /// The node that they were on their way to.
    package var node: String
    /// Its subtask.
    package var subtask: Int
    /// The file in `files/`.
    package var contentName: String

    /// Creates a reference.
    ///
    /// - Parameters:
    ///   - node: The node that they were on their way to.
    ///   - subtask: Its subtask.
    ///   - contentName: The file in `files/`.
    package init(node: String, subtask: Int, contentName: String) {
        self.node = node
        self.subtask = subtask
        self.contentName = contentName
    }
}
