/// One thing that is wrong with a job, in words for the person who wrote the job file.
///
/// Its text is one line that says where, what was found, what was expected and how to fix it:
///
///     job.yaml:14:7: spec.operators[aircraft]: unknown key 'paralelism'; expected one of id,
///     plugin; did you mean 'parallelism'?
package struct JobProblem: Sendable, Hashable {
    /// Where the problem is in the job file; `nil` when it is in no particular place.
    package var location: SourceLocation?

    /// The command-line override that brought the problem in, as `path=value`, if one did.
    package var override: String?

    /// The place in the document, such as `spec.operators[aircraft].key`; empty for the whole file.
    package var path: String

    /// What was found, such as `unknown key 'paralelism'`.
    package var found: String

    /// What would have been right, without the word "expected".
    package var expected: String?

    /// How to fix it, as an instruction.
    package var remedy: String?

    /// The valid word that is nearest to what was written.
    package var suggestion: String?

    /// Creates a problem; see the properties.
    package init(
        at location: SourceLocation?,
        override: String? = nil,
        path: String,
        found: String,
        expected: String? = nil,
        remedy: String? = nil,
        suggestion: String? = nil
    ) {
        self.location = location
        self.override = override
        self.path = path
        self.found = found
        self.expected = expected
        self.remedy = remedy
        self.suggestion = suggestion
    }

    /// The problem as one line of text, without a line break at its end.
    ///
    /// - Parameter fileName: The name of the job file as the user knows it.
    /// - Returns: The place, what was found there, what was expected, and how to fix it.
    package func text(fileName: String) -> String {
        var text: String
        if let override {
            text = "--set \(override): "
        } else if let location {
            text = "\(fileName):\(location.line):\(location.column): "
        } else {
            text = "\(fileName): "
        }
        if !path.isEmpty { text += "\(path): " }
        text += found
        if let expected { text += "; expected \(expected)" }
        if let remedy { text += "; \(remedy)" }
        if let suggestion { text += "; did you mean '\(suggestion)'?" }
        return text
    }

    /// The words as `one of a, b, c`, cut after ``wordCountMax`` words.
    package static func oneOf(_ words: [String]) -> String {
        guard words.count != 1 else { return "'\(words[0])'" }
        let shown = words.prefix(wordCountMax).joined(separator: ", ")
        let hiddenCount = words.count - wordCountMax
        return "one of \(shown)" + (hiddenCount > 0 ? " and \(hiddenCount) more" : "")
    }

    /// How many valid words a message lists at most.
    package static let wordCountMax = 20
}
