import ApusFunctions
import ApusMemory

/// A C function at work on one subtask.
///
/// It has no state: what a checkpoint has of it is how far event time was.
final class FunctionStage: Stage {
    private let evaluator: FunctionEvaluator
    private let port: OutputPort
    private let deadLetters: any DeadLetters
    private let patience: Patience
    private lazy var rejects = RejectHandler(
        deadLetters: deadLetters,
        counters: counters,
        patience: patience
    )
    /// Holds the records of a batch that borrows from too many others.
    private lazy var flatBatch = RecordBatch(recordCapacity: 1024, arenaCapacity: 64 << 10)

    init(
        _ place: Place,
        evaluator: FunctionEvaluator,
        port: OutputPort,
        deadLetters: any DeadLetters,
        patience: Patience
    ) {
        self.evaluator = evaluator
        self.port = port
        self.deadLetters = deadLetters
        self.patience = patience
        super.init(place)
    }

    override func process(_ received: RecordBatch, input: Int) throws(JobFailure) {
        let batch = flat(received)
        let output: RecordBatch
        do {
            output = try evaluator.evaluate(batch)
        } catch {
            throw JobFailure(.plugin, node: node, error.description)
        }
        for rejection in evaluator.rejections {
            try rejects.reject(
                batch.rejected(rejection.record, reason: rejection.reason),
                node: node
            )
        }
        if isAborted || output.count == 0 { return }
        counters.addOut(output.count)
        try port.send(output)
    }

    /// The same records in a batch that borrows from no other, when it borrows from so many that
    /// the output could not refer to all of them.
    private func flat(_ batch: RecordBatch) -> RecordBatch {
        guard batch.borrowedBufferCount >= RecordBatch.bufferCountMax - 2 else { return batch }
        if flatBatch.recordCapacity < batch.count {
            flatBatch = RecordBatch(recordCapacity: batch.recordCapacity, arenaCapacity: 64 << 10)
        }
        flatBatch.copy(batch)
        return flatBatch
    }

    // MARK: - Everything else is handed on

    override func advance(to time: Int64) throws(JobFailure) { try port.sendWatermark(time) }

    override func announce(_ time: Int64) throws(JobFailure) { try port.sendWatermark(time) }

    override func becomeIdle() throws(JobFailure) { try port.sendIdle() }

    override func finish() throws(JobFailure) { try port.sendEnd() }

    override func sendBarrier(_ number: UInt64) throws(JobFailure) {
        try port.sendBarrier(number)
    }

    override func flush() throws(JobFailure) -> Bool { try port.flush() }

    // MARK: - Checkpoints

    private var watermarkAtSnapshot = Int64.min

    override func takeSnapshot(_ number: UInt64) throws(JobFailure) {
        watermarkAtSnapshot = watermark
    }

    override func snapshotContent() -> SubtaskReport.Content {
        .operator(OperatorSnapshot(watermark: watermarkAtSnapshot))
    }
}
