import ApusGraph

/// Collects what is wrong with one file while it is read.
///
/// A class, because every part of the reader writes to the same log; it never leaves the call that
/// made it.
final class ProblemLog {
    private var problems: [JobProblem] = []

    /// Whether nothing is wrong so far.
    var isEmpty: Bool { problems.isEmpty }

    /// Notes a problem at a node of the document.
    func add(
        _ node: DocumentNode,
        _ path: DocumentPath,
        _ found: String,
        expected: String? = nil,
        remedy: String? = nil,
        suggestion: String? = nil
    ) {
        problems.append(
            JobProblem(
                at: node.location,
                override: node.override,
                path: path.text,
                found: found,
                expected: expected,
                remedy: remedy,
                suggestion: suggestion
            )
        )
    }

    /// Notes a problem that needs no node.
    func add(_ problem: JobProblem) {
        problems.append(problem)
    }

    /// Notes problems of the graph, but none at a place that already has one: an input that could
    /// not be read is not also missing.
    func add(_ graphProblems: [JobProblem]) {
        var paths = Set(problems.map(\.path))
        for problem in problems {
            guard let bracket = problem.path.lastIndex(of: "[") else { continue }
            paths.insert(String(problem.path[..<bracket]))
        }
        problems += graphProblems.filter { problem in
            !paths.contains(problem.path) && !paths.contains(problem.path + "s")
        }
    }

    /// Everything that was noted, in the order of the file; what has no position comes last.
    func errors(fileName: String) -> JobFileErrors {
        let end = SourceLocation(line: Int.max, column: 0)
        let sorted = problems.enumerated()
            .sorted { left, right in
                let leftLocation = left.element.location ?? end
                let rightLocation = right.element.location ?? end
                return (leftLocation, left.offset) < (rightLocation, right.offset)
            }
        let listed = sorted.prefix(JobFileErrors.problemCountMax).map(\.element)
        return JobFileErrors(
            fileName: fileName,
            problems: listed,
            unlistedCount: problems.count - listed.count
        )
    }
}
