import ApusState

/// Everything that an operator did with some input, to be compared with what it did another time.
struct Transcript: Equatable {
    /// What was written to each output.
    var outputs: [[OutputRecord]]
    /// The values of the records that it called bad, with its reasons.
    var rejected: [Rejected] = []
    /// Why it stopped before the end; nil when it did not.
    var failure: String?
    /// State and timers at the end.
    var image = StateImage()
    /// Whether timers were set for times that had passed: these fire after the batch in hand, so
    /// that what they write, and whether they are set again before, depends on where batches end.
    var hasOverdueTimers = false

    /// A record that it called bad.
    struct Rejected: Equatable {
        var record: OutputRecord
        var reason: String
    }

    init(outputCount: Int) {
        outputs = Array(repeating: [], count: outputCount)
    }

    /// How many records were written in all.
    var outputCount: Int { outputs.reduce(0) { $0 + $1.count } }

    /// The first thing in which another one is different; nil when they are equal.
    ///
    /// Where timers were overdue, only what it called bad is compared.
    func difference(from other: Transcript, names: [String]) -> String? {
        let isComparable = !hasOverdueTimers && !other.hasOverdueTimers
        for port in outputs.indices where isComparable {
            if let text = Self.difference(
                other.outputs[port].map(\.text),
                outputs[port].map(\.text),
                "record",
                "of output '\(names[port])'"
            ) {
                return text
            }
        }
        if let text = Self.difference(
            other.rejected.map { "\($0.record.text): \($0.reason)" },
            rejected.map { "\($0.record.text): \($0.reason)" },
            "bad record",
            ""
        ) {
            return text
        }
        if failure != other.failure {
            return "it ended with '\(failure ?? "success")' instead of "
                + "'\(other.failure ?? "success")'"
        }
        return isComparable ? image.difference(from: other.image) : nil
    }

    static func difference(
        _ expected: [String],
        _ found: [String],
        _ what: String,
        _ whose: String
    ) -> String? {
        let place = whose.isEmpty ? "" : " " + whose
        for index in 0..<min(expected.count, found.count) where expected[index] != found[index] {
            return "\(what) \(index)\(place) is [\(found[index])] instead of [\(expected[index])]"
        }
        guard expected.count != found.count else { return nil }
        let first = min(expected.count, found.count)
        let next = expected.count > found.count ? expected[first] : found[first]
        return "there are \(found.count) instead of \(expected.count) \(what)s\(place); the first "
            + "that is \(expected.count > found.count ? "missing" : "too many"): [\(next)]"
    }
}
