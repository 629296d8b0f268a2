import ApusCore
import ApusMemory

/// A sink at work on one subtask.
final class SinkStage: Stage {
    private let sink: any RecordSink
    /// The same sink, when its output becomes visible only with checkpoints.
    private let epochSink: (any EpochSink)?
    private let patience: Patience
    private let deadLetters: any DeadLetters
    private lazy var rejects = RejectHandler(
        deadLetters: deadLetters,
        counters: counters,
        patience: patience
    )
    /// What was sealed and not yet reported.
    private var sealed: [SealedOutput] = []
    private var hasPending = false
    private var isClosed = false

    init(
        _ place: Place,
        sink: any RecordSink,
        deadLetters: any DeadLetters,
        notify: @escaping @Sendable (String) -> Void
    ) {
        self.sink = sink
        let epochSink = place.checkpoints == nil ? nil : sink as? any EpochSink
        self.epochSink = epochSink
        self.deadLetters = deadLetters
        patience = Patience(
            control: place.control,
            waits: epochSink != nil || sink.asksForPatience,
            notify: notify
        )
        super.init(place)
    }

    override func open() throws(JobFailure) {
        do { try sink.open() } catch { throw fail(error) }
    }

    override func process(_ batch: RecordBatch, input: Int) throws(JobFailure) {
        // What comes behind the last barrier comes again when the job goes on.
        if isPastLastBarrier { return }
        try patiently { () throws(EndpointError) in try sink.write(batch) }
        hasPending = true
        let rejected = sink.takeRejected()
        counters.addOut(batch.count - rejected.count)
        for record in rejected { try rejects.reject(record, node: node) }
    }

    override func flush() throws(JobFailure) -> Bool {
        guard hasPending else { return false }
        hasPending = false
        try patiently { () throws(EndpointError) in try sink.flush() }
        return true
    }

    override func finish() throws(JobFailure) {
        // The last checkpoint seals what it has.
        if epochSink != nil { return }
        try close()
    }

    override func close() throws(JobFailure) {
        guard !isClosed else { return }
        isClosed = true
        do { try sink.close() } catch { throw fail(error) }
    }

    override func abandon() {
        guard !isClosed else { return }
        isClosed = true
        // The job was aborted or has failed before: what goes wrong now changes nothing.
        do { try sink.close() } catch { return }
    }

    // MARK: - Checkpoints

    override func takeSnapshot(_ number: UInt64) throws(JobFailure) {
        guard let epochSink else {
            _ = try flush()
            return
        }
        hasPending = false
        try patiently { () throws(EndpointError) in
            sealed.append(try epochSink.seal(epoch: number))
        }
    }

    override func snapshotContent() -> SubtaskReport.Content {
        defer { sealed = [] }
        return .sink(sealed)
    }

    /// Calls the sink again and again until it can, or the job is aborted.
    private func patiently(_ call: () throws(EndpointError) -> Void) throws(JobFailure) {
        do { try patience.persist("sink '\(node)'", call) } catch { throw fail(error) }
    }

    private func fail(_ error: EndpointError) -> JobFailure {
        JobFailure(.environment, node: node, error.description)
    }
}
