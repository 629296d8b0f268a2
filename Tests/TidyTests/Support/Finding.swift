import Testing

/// One place that breaks a rule, and what to do about it.
struct Finding: Equatable, CustomStringConvertible {
    /// The file, from the root of the repository.
    let path: String

    /// The line, counted from 1.
    let line: Int

    /// What is wrong, with the values seen.
    let problem: String

    /// What to do about it.
    let fix: String

    var description: String { "\(path):\(line): \(problem); \(fix)" }
}

/// Fails the test once for each finding, so that each is listed with its file and line.
func expectNone(_ findings: [Finding], sourceLocation: SourceLocation = #_sourceLocation) {
    for finding in findings {
        Issue.record(Comment(rawValue: finding.description), sourceLocation: sourceLocation)
    }
}
