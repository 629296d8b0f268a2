import ApusMemory

/// Counts rejected records and gives them to the job's dead letters.
final class RejectHandler {
    private let deadLetters: any DeadLetters
    private let counters: StageCounters
    private let patience: Patience

    /// Creates a handler that counts with a stage.
    init(deadLetters: any DeadLetters, counters: StageCounters, patience: Patience) {
        self.deadLetters = deadLetters
        self.counters = counters
        self.patience = patience
    }

    /// Keeps a rejected record.
    ///
    /// Waits for room where it is kept.  When the job is aborted meanwhile, the record is not kept:
    /// no barrier comes behind it any more.
    ///
    /// - Throws: ``JobFailure`` when the job's policy is to fail, or the record cannot be kept.
    func reject(_ record: RejectedRecord, node: String) throws(JobFailure) {
        counters.addRejected(1)
        do {
            try patience.persist("a rejected record of '\(node)'") { () throws(EndpointError) in
                try deadLetters.add(record, node: node)
            }
        } catch {
            throw JobFailure(.data, node: node, error.description)
        }
    }
}
