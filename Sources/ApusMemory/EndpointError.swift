/// Why a source or sink cannot go on.
package struct EndpointError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What was tried, what was found, how to mend it.
    package let description: String

    /// Whether the same call may succeed later, for example when the disk has room again.
    ///
    /// True only where the endpoint says that nothing is lost or doubled by calling again.
    package let isRetryable: Bool

    /// Creates an error.
    package init(_ description: String, isRetryable: Bool = false) {
        self.description = description
        self.isRetryable = isRetryable
    }
}
