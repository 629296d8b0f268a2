import ApusMemory

/// Counts rejected records and gives them to the job's dead letters.
final class RejectHandler {
    private let deadLetters: any DeadLetters
    private let counters: StageCounters

    /// Creates a handler that counts with a stage.
    init(deadLetters: any DeadLetters, counters: StageCounters) {
        self.deadLetters = deadLetters
        self.counters = counters
    }

    /// Keeps a rejected record.
    ///
    /// - Throws: ``JobFailure`` when the job's policy is to fail, or the record cannot be kept.
    func reject(_ record: RejectedRecord, node: String) throws(JobFailure) {
        counters.addRejected(1)
        do {
            try deadLetters.add(record, node: node)
        } catch {
            throw JobFailure(.data, node: node, error.description)
        }
    }
}
