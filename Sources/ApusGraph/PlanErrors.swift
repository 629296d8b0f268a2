/// Everything that keeps a described job from becoming a plan.
package struct PlanErrors: Error, Sendable, Hashable, CustomStringConvertible {
    /// The file that the job was read from, as messages name it.
    package let fileName: String

    /// What is wrong, in the order of the file; never empty.
    package let problems: [JobProblem]

    /// One line per problem.
    package var description: String {
        problems.map { $0.text(fileName: fileName) }.joined(separator: "\n")
    }

    /// Creates an error from at least one problem.
    package init(fileName: String, problems: [JobProblem]) {
        precondition(!problems.isEmpty, "an error has a problem")
        self.fileName = fileName
        self.problems = problems
    }
}
