/// How an operator makes asynchronous calls, as the job file says it.
package struct AsyncDescription: Sendable, Hashable {
    /// In which order results leave.
    package enum Order: String, Sendable, Hashable, CaseIterable {
        /// As they come, but not past a watermark.
        case unordered
        /// In the order of the records.
        case ordered
    }

    /// What becomes of a record whose call has failed for good.
    package enum FailurePolicy: String, Sendable, Hashable, CaseIterable {
        /// The job fails.
        case fail
        /// The record is set aside, as rejected records are.
        case deadLetter = "dead-letter"
    }

    /// How many calls may be under way per subtask.
    package var capacity = 100
    /// How long a call may take.
    package var timeoutMicroseconds: Int64 = 30_000_000
    /// How often a call that failed is begun again.
    package var retryCount = 0
    /// How long to wait before that.
    package var retryDelayMicroseconds: Int64 = 1_000_000
    /// In which order results leave.
    package var order = Order.unordered
    /// What becomes of a record whose call has failed for good.
    package var failurePolicy = FailurePolicy.fail

    /// What ``capacity`` may be.
    package static let capacityRange = 1...100_000
    /// What ``timeoutMicroseconds`` may be.
    package static let timeoutRange: ClosedRange<Int64> = 1_000...86_400_000_000
    /// What ``retryCount`` may be.
    package static let retryCountRange = 0...1_000
    /// What ``retryDelayMicroseconds`` may be.
    package static let retryDelayRange: ClosedRange<Int64> = 1_000...3_600_000_000

    /// Creates the description of a job file that says nothing.
    package init() {}

    /// One line for people.
    package var summary: String {
        let retries = retryCount == 0 ? "no retries" : "\(retryCount) retries"
        return "async: \(capacity) calls per subtask, \(order.rawValue), time-out "
            + DurationText.format(microseconds: timeoutMicroseconds)
            + ", \(retries), on failure \(failurePolicy.rawValue)"
    }
}
