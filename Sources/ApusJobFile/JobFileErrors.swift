package import ApusGraph

/// Everything that is wrong with a job file.
package struct JobFileErrors: Error, Sendable, Hashable, CustomStringConvertible {
    /// How many problems are listed at most.
    package static let problemCountMax = 200

    /// The name of the file as the user knows it.
    package let fileName: String

    /// What is wrong, in the order of the file; never empty, at most ``problemCountMax``.
    package let problems: [JobProblem]

    /// How many further problems are not listed.
    package let unlistedCount: Int

    /// One line per problem.
    package var description: String {
        var lines = problems.map { $0.text(fileName: fileName) }
        if unlistedCount > 0 { lines.append("\(fileName): \(unlistedCount) more problems") }
        return lines.joined(separator: "\n")
    }
}
