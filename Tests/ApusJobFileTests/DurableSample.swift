@testable import ApusJobFile

/// A job file with every key about state, checkpoints and delivery.
enum DurableSample {
    /// The rule for checkpoints.
    static let checkpoint = """
          checkpoint:
            dir: data/checkpoints
            interval: 10s
            min-pause: 2s
            timeout: 5m
            tolerable-failures: 10
            alignment-timeout: 500ms
            retain: 3
            io-limit: 100MB/s
        """

    /// All settings of the job as a whole.
    static let settings = """
        \(checkpoint)
          state: { backend: rocksdb, dir: data/database }
          memory: { budget: 256MiB }
          delivery: exactly-once
          plugins: { call-timeout: 10s, call-warning: 500ms }
        """

    /// The times to live of the operator.
    static let expiries = """
              state:
                ticket: { ttl: 90d, refresh: read-and-write, time: event }
                reminders: { ttl: 7d }
        """

    static let text = """
        apiVersion: apus/v1
        kind: Job
        metadata: { name: tickets }
        spec:
        \(settings)
          sources:
            - id: events
              plugin: file
              config: { path: events.jsonl }
              watermark: { field: at }
          operators:
            - id: tickets
              plugin: tickets
              input: events
              key: ticket
        \(expiries)
          sinks:
            - { id: results, plugin: file, input: tickets, config: { path: out/results/ } }
            - { id: log, plugin: stdout, input: tickets.log, delivery: at-least-once }
        """

    /// The sample with some text replaced, read.
    static func read(
        replacing old: String,
        with new: String,
        environment: [String: String] = [:]
    ) -> Result<JobFile, JobFileErrors> {
        precondition(text.contains(old), "the sample has no '\(old)'")
        return JobFileSample.read(text.replacing(old, with: new), environment: environment)
    }

    /// The sample with overrides, read.
    static func read(overrides: [(String, String)]) -> Result<JobFile, JobFileErrors> {
        JobFileSample.read(text, overrides: overrides)
    }
}
