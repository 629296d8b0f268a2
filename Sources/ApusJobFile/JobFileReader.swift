import ApusGraph

/// Reads a job file: YAML in, a validated ``ApusGraph/JobDescription`` out.
///
/// Reading goes through five steps: YAML to a tree that knows its positions, overrides from the
/// command line, variables, the keys that Apus knows, the graph. A step that can go on after a
/// problem does, so that the author sees everything at once.
package struct JobFileReader {
    /// The largest file that is read, in bytes of UTF-8.
    package static let byteCountMax = 1 << 20

    /// The deepest nesting of lists and mappings that is read.
    package static let depthMax = 64

    /// The largest number of values, after aliases are replaced by what they stand for.
    package static let valueCountMax = 100_000

    /// Reads a job file.
    ///
    /// - Parameters:
    ///   - text: The content of the file.
    ///   - fileName: How messages name the file.
    ///   - environment: The variables that `${NAME}` may stand for.
    ///   - overrides: Pairs of a path and a value that replace what the file says, as
    ///     `("spec.sources.departures.config.path", "x.csv")`; later pairs win.
    /// - Returns: The job with its warnings, or everything that is wrong.
    package static func read(
        text: String,
        fileName: String,
        environment: [String: String] = [:],
        overrides: [(String, String)] = []
    ) -> Result<JobFile, JobFileErrors> {
        let log = ProblemLog()
        guard let root = readDocument(text, environment, overrides, log),
            let decoded = JobDecoder(log: log).decode(root, fileName: fileName)
        else { return .failure(log.errors(fileName: fileName)) }
        let job = decoded.job
        let validation = decoded.isGraphKnown ? job.validate() : nil
        let errors = validation?.errors ?? job.validateSettings()
        log.add(JobProblem.placed(errors, in: root))
        guard log.isEmpty, let validation else {
            return .failure(log.errors(fileName: fileName))
        }
        let warnings = JobProblem.placed(validation.warnings, in: root)
        return .success(JobFile(job: job, warnings: warnings))
    }

    /// The document with overrides and variables; `nil` only if it is no document at all.
    private static func readDocument(
        _ text: String,
        _ environment: [String: String],
        _ overrides: [(String, String)],
        _ log: ProblemLog
    ) -> DocumentNode? {
        guard var root = YAMLDocument.read(text, log: log) else { return nil }
        for (path, value) in overrides {
            DocumentOverride(path: path, value: value).apply(to: &root, log: log)
        }
        VariableExpansion(environment: environment, log: log).expand(&root, path: DocumentPath())
        return root
    }
}
