package import ApusGraph

/// What a job file says, and what is odd about it.
package struct JobFile: Sendable, Hashable {
    /// The job, whose graph is valid.
    package let job: JobDescription

    /// What the author probably did not mean, in the order of the file.
    package let warnings: [JobProblem]

    /// One line per warning; empty without warnings.
    package var warningText: String {
        warnings.map { "warning: \($0.text(fileName: job.fileName))" }.joined(separator: "\n")
    }
}
