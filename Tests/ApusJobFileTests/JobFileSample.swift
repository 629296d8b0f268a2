@testable import ApusJobFile

/// The job file that most tests start from: every section, most keys.
enum JobFileSample {
    static let text = """
        apiVersion: apus/v1
        kind: Job
        metadata: { name: flights }
        spec:
          parallelism: 2
          max-parallelism: 1024
          buffer-timeout: 5ms
          errors: { policy: dead-letter, dead-letter-file: out/dead-letter.jsonl }
          sources:
            - id: departures
              plugin: file
              config:
                path: data/flights.csv.gz
                format: csv
                emit: line
                null-values: ["NA", ""]
                follow: false
              watermark:
                fields: [year, month, day, hour, minute]
                out-of-order: 24h
                idle-after: 30s
          operators:
            - id: aircraft
              plugin: aircraft
              component: aircraft
              input: departures
              key: tailnum
              config: { limit: 3, names: [a, b] }
          sinks:
            - { id: results, plugin: file, input: aircraft, config: { path: out/results.jsonl } }
            - { id: unidentified, plugin: stdout, input: aircraft.unidentified }
        """

    /// The sample with some text replaced, read.
    static func read(
        replacing old: String,
        with new: String,
        environment: [String: String] = [:],
        overrides: [(String, String)] = []
    ) -> Result<JobFile, JobFileErrors> {
        precondition(text.contains(old), "the sample has no '\(old)'")
        return read(
            text.replacing(old, with: new),
            environment: environment,
            overrides: overrides
        )
    }

    /// Reads a text as `job.yaml`.
    static func read(
        _ text: String,
        environment: [String: String] = [:],
        overrides: [(String, String)] = []
    ) -> Result<JobFile, JobFileErrors> {
        JobFileReader.read(
            text: text,
            fileName: "job.yaml",
            environment: environment,
            overrides: overrides
        )
    }
}

extension Result<JobFile, JobFileErrors> {
    /// The lines of the error text; empty for a job.
    var errorLines: [String] {
        switch self {
        case .success: []
        case .failure(let errors): errors.description.split(separator: "\n").map(String.init)
        }
    }
}
