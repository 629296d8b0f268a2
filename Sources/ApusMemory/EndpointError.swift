/// Why a source or sink cannot go on.
package struct EndpointError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What was tried, what was found, how to mend it.
    package let description: String

    /// Creates an error.
    package init(_ description: String) {
        self.description = description
    }
}
