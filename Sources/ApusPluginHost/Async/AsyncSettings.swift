/// How an operator's asynchronous calls are made.
package struct AsyncSettings: Sendable, Equatable {
    /// How many calls may be under way per subtask.
    package var capacity = 100
    /// How long a call may take.
    package var timeoutMicroseconds: Int64 = 30_000_000
    /// How often a call that failed is begun again.
    package var retryCount = 0
    /// How long to wait before that.
    package var retryDelayMicroseconds: Int64 = 1_000_000
    /// Whether results leave in the order of the records.
    package var isOrdered = false
    /// Whether a call that has failed for good sets its record aside; otherwise the job fails.
    package var rejectsFailures = false

    /// Creates the settings of a job file that says nothing.
    package init() {}
}
