/// Why a benchmark has no result.
package struct BenchmarkFailure: Error, CustomStringConvertible {
    /// The reason.
    package let description: String

    /// Creates a failure.
    package init(_ description: String) {
        self.description = description
    }
}
