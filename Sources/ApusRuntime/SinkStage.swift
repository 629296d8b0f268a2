import ApusMemory

/// A sink at work on one subtask.
final class SinkStage: Stage {
    private let sink: any RecordSink
    private var hasPending = false
    private var isClosed = false

    init(
        sink: any RecordSink,
        node: String,
        nodeIndex: Int,
        channelCount: Int,
        control: RunControl
    ) {
        self.sink = sink
        super.init(
            node: node,
            nodeIndex: nodeIndex,
            channelCount: channelCount,
            control: control
        )
    }

    override func process(_ batch: RecordBatch, input: Int) throws(JobFailure) {
        do { try sink.write(batch) } catch { throw fail(error) }
        hasPending = true
        counters.addOut(batch.count)
    }

    override func flush() throws(JobFailure) -> Bool {
        guard hasPending else { return false }
        hasPending = false
        do { try sink.flush() } catch { throw fail(error) }
        return true
    }

    override func finish() throws(JobFailure) {
        isClosed = true
        do { try sink.close() } catch { throw fail(error) }
    }

    override func abandon() {
        guard !isClosed else { return }
        isClosed = true
        // The job was aborted or has failed before: what goes wrong now changes nothing.
        do { try sink.close() } catch { return }
    }

    private func fail(_ error: EndpointError) -> JobFailure {
        JobFailure(.environment, node: node, error.description)
    }
}
