/// How far a request is that takes long.
package struct ControlProgress: Codable, Equatable, Sendable {
    /// What is being done.
    package var message: String
    /// How much of it is done; nil when that cannot be told.
    package var done: Int?
    /// How much there is to do.
    package var total: Int?

    /// Creates a report.
    package init(_ message: String, done: Int? = nil, total: Int? = nil) {
        self.message = message
        self.done = done
        self.total = total
    }
}
