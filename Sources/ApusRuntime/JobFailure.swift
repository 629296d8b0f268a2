/// Why a job failed.
package struct JobFailure: Error, Equatable, Sendable, CustomStringConvertible {
    /// Whose fault it is.
    package enum Fault: String, Sendable {
        /// A file, a disk, a peer.
        case environment
        /// A plugin broke its promise or gave up.
        case plugin
        /// The data, and the job's policy is to fail.
        case data
    }

    /// Whose fault it is.
    package let fault: Fault
    /// The node of the job at which it happened.
    package let node: String
    /// What happened, and how to mend it.
    package let message: String

    /// Creates a failure.
    package init(_ fault: Fault, node: String, _ message: String) {
        self.fault = fault
        self.node = node
        self.message = message
    }

    /// One line: `operator 'aircraft': ...`.
    package var description: String { "'\(node)': \(message)" }
}
