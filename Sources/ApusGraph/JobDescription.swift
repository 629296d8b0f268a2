/// A job as its author described it: sources, operators, sinks, and who reads whom.
///
/// A value of this type may still be wrong; ``validate()`` says whether it is a runnable graph.
package struct JobDescription: Sendable, Hashable {
    /// The largest number of sources, operators and sinks together.
    package static let nodeCountMax = 1_000

    /// The largest value of ``maxParallelism``.
    package static let maxParallelismMax = 32_768

    /// The value of ``maxParallelism`` when the author gives none.
    package static let defaultMaxParallelism = 1_024

    /// The value of ``bufferTimeoutMicroseconds`` when the author gives none.
    package static let defaultBufferTimeoutMicroseconds: Int64 = 5_000

    /// The file that the job was read from, as messages name it.
    package var fileName: String

    /// The name of the job, unique in one controller.
    package var name: String

    /// How many subtasks a parallel node gets; `nil` lets the runtime choose.
    package var parallelism: Int?

    /// The number of key groups, fixed for the life of the job.
    package var maxParallelism: Int

    /// How long a record may wait for its batch to fill, in microseconds.
    package var bufferTimeoutMicroseconds: Int64

    /// What happens to records that an operator rejects.
    package var errors: ErrorHandling

    /// Where the state lives, and what of it and of the output survives a failure.
    package var durability: Durability

    /// How long callbacks of plugins may take.
    package var callLimits: CallLimits

    /// What plugins may ask for and nobody is shown, in the author's order.
    package var secrets: [SecretDescription]

    /// Where records enter, in the author's order.
    package var sources: [SourceDescription]

    /// What is done to records, in the author's order.
    package var operators: [OperatorDescription]

    /// Where records leave, in the author's order.
    package var sinks: [SinkDescription]

    /// Creates a job; what is not given has its documented default.
    package init(
        fileName: String = "job.yaml",
        name: String,
        parallelism: Int? = nil,
        maxParallelism: Int = defaultMaxParallelism,
        bufferTimeoutMicroseconds: Int64 = defaultBufferTimeoutMicroseconds,
        errors: ErrorHandling? = nil,
        durability: Durability = Durability(),
        callLimits: CallLimits = CallLimits(),
        secrets: [SecretDescription] = [],
        sources: [SourceDescription],
        operators: [OperatorDescription] = [],
        sinks: [SinkDescription] = []
    ) {
        self.fileName = fileName
        self.name = name
        self.parallelism = parallelism
        self.maxParallelism = maxParallelism
        self.bufferTimeoutMicroseconds = bufferTimeoutMicroseconds
        self.errors = errors ?? ErrorHandling(jobName: name)
        self.durability = durability
        self.callLimits = callLimits
        self.secrets = secrets
        self.sources = sources
        self.operators = operators
        self.sinks = sinks
    }

    /// Whether `text` may name a job or a node: `[a-z0-9][a-z0-9-]{0,62}`.
    package static func isValidName(_ text: String) -> Bool {
        let bytes = text.utf8
        guard let first = bytes.first, bytes.count <= 63 else { return false }
        return first != UInt8(ascii: "-")
            && bytes.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || byte == UInt8(ascii: "-")
            }
    }
}

/// What happens to records that an operator rejects.
package struct ErrorHandling: Sendable, Hashable {
    /// The two things that can happen to a rejected record.
    package enum Policy: String, Sendable, CaseIterable {
        /// The job fails.
        case fail
        /// The record is written to the dead-letter file and the job goes on.
        case deadLetter = "dead-letter"
    }

    /// What happens to a rejected record.
    package var policy: Policy

    /// Where rejected records go under ``Policy/deadLetter``.
    package var deadLetterFile: String

    /// Creates a rule; see the properties.
    package init(policy: Policy, deadLetterFile: String) {
        self.policy = policy
        self.deadLetterFile = deadLetterFile
    }

    /// The default: rejected records go to `<job name>.dead-letter.jsonl`.
    package init(jobName: String) {
        self.init(policy: .deadLetter, deadLetterFile: "\(jobName).dead-letter.jsonl")
    }
}
