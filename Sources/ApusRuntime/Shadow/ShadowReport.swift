/// What a shadow run has found so far.
package struct ShadowReport: Codable, Equatable, Sendable {
    /// Whose output it is.
    package enum Side: String, Codable, Sendable {
        /// Only the running version has written it.
        case running
        /// Only the new version has.
        case new
    }

    /// An output without a partner.
    package struct Sample: Codable, Equatable, Sendable {
        /// Who has written it.
        package var side: Side
        /// The output's number; nil for a record that was rejected.
        package var output: Int?
        /// Event time; nil for none.
        package var timeMicroseconds: Int64?
        /// As text, or in hexadecimal behind `0x`; cut behind 200 bytes.
        package var key: String
        /// Likewise.
        package var value: String

        /// Creates a sample; see the properties.
        package init(
            side: Side,
            output: Int?,
            timeMicroseconds: Int64?,
            key: String,
            value: String
        ) {
            self.side = side
            self.output = output
            self.timeMicroseconds = timeMicroseconds
            self.key = key
            self.value = value
        }
    }

    /// Calls of the running version that the new one has had as well.
    package var steps = 0
    /// Records in them.
    package var records = 0
    /// Keys whose state was copied.
    package var keys = 0
    /// Keys whose state the new version could not take over.
    package var keysRefused = 0
    /// Why, of the first one.
    package var refusal: String?
    /// What the running version has written and rejected.
    package var outputsRunning = 0
    /// What the new version has.
    package var outputsNew = 0
    /// Records that the running version has rejected.
    package var rejectedRunning = 0
    /// Records that the new version has.
    package var rejectedNew = 0
    /// What both have.
    package var outputsEqual = 0
    /// What only the running version has written so far.
    package var onlyRunning = 0
    /// What only the new version has.
    package var onlyNew = 0
    /// How long the new version has worked, in microseconds.
    package var busyMicroseconds: Int64 = 0
    /// How long 99 of 100 of its steps took at most, in microseconds, rounded up to a power of two.
    package var p99Microseconds: Int64 = 0
    /// Some of what has no partner.
    package var samples: [Sample] = []
    /// Why the new version cannot go on: a callback has failed.
    package var failure: String?
    /// Whether there is nothing more to come.
    package var isFinal = false

    /// The most samples.
    package static let sampleCountMax = 20

    /// Creates a report of nothing.
    package init() {}

    /// The part of all outputs that have no partner, 0 to 1.
    package var differenceRate: Double {
        let all = outputsEqual + onlyRunning + onlyNew
        return all == 0 ? 0 : Double(onlyRunning + onlyNew) / Double(all)
    }

    /// Adds what another subtask has found.
    package mutating func add(_ other: ShadowReport) {
        steps += other.steps
        records += other.records
        keys += other.keys
        keysRefused += other.keysRefused
        refusal = refusal ?? other.refusal
        outputsRunning += other.outputsRunning
        outputsNew += other.outputsNew
        rejectedRunning += other.rejectedRunning
        rejectedNew += other.rejectedNew
        outputsEqual += other.outputsEqual
        onlyRunning += other.onlyRunning
        onlyNew += other.onlyNew
        busyMicroseconds += other.busyMicroseconds
        p99Microseconds = max(p99Microseconds, other.p99Microseconds)
        samples += other.samples.prefix(max(0, Self.sampleCountMax - samples.count))
        failure = failure ?? other.failure
    }
}
