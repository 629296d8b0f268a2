import ApusCore
import ApusMemory

/// A sink at work on one subtask.
final class SinkStage: Stage {
    /// How long a sink that cannot write waits before it tries again, in nanoseconds.
    private static let retryPause: Int64 = 50_000_000

    private let sink: any RecordSink
    /// The same sink, when its output becomes visible only with checkpoints.
    private let epochSink: (any EpochSink)?
    private let notify: @Sendable (String) -> Void
    /// Nobody rings it: it is for sleeping.
    private let pause = Doorbell()
    /// What was sealed and not yet reported.
    private var sealed: [SealedOutput] = []
    private var hasPending = false
    private var isClosed = false

    init(_ place: Place, sink: any RecordSink, notify: @escaping @Sendable (String) -> Void) {
        self.sink = sink
        self.notify = notify
        epochSink = place.checkpoints == nil ? nil : sink as? any EpochSink
        super.init(place)
    }

    override func process(_ batch: RecordBatch, input: Int) throws(JobFailure) {
        // What comes behind the last barrier comes again when the job goes on.
        if isPastLastBarrier { return }
        try patiently { () throws(EndpointError) in try sink.write(batch) }
        hasPending = true
        counters.addOut(batch.count)
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
    ///
    /// A full disk holds the job up so, and loses nothing.  Only sinks that can call again say that
    /// an error is retryable.
    private func patiently(_ call: () throws(EndpointError) -> Void) throws(JobFailure) {
        var hasFailed = false
        while true {
            do {
                try call()
                if hasFailed { notify("sink '\(node)' goes on") }
                return
            } catch {
                guard error.isRetryable, epochSink != nil else { throw fail(error) }
                if isAborted { return }
                if !hasFailed {
                    notify("sink '\(node)' waits and tries again: \(error.description)")
                }
                hasFailed = true
                pause.sleep(nanoseconds: Self.retryPause) { isAborted }
            }
        }
    }

    private func fail(_ error: EndpointError) -> JobFailure {
        JobFailure(.environment, node: node, error.description)
    }
}
