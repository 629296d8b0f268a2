import ApusMemory

/// One output of a node: the edges that read it.
final class OutputPort {
    private var outputs: [Output] = []

    /// Adds an edge.
    func add(_ output: Output) { outputs.append(output) }

    /// Delivers records to every reader.
    func send(_ batch: RecordBatch) throws(JobFailure) {
        for output in outputs { try output.send(batch) }
    }

    func sendWatermark(_ time: Int64) throws(JobFailure) {
        for output in outputs { try output.sendWatermark(time) }
    }

    func sendIdle() throws(JobFailure) {
        for output in outputs { try output.sendIdle() }
    }

    func sendBarrier(_ number: UInt64) throws(JobFailure) {
        for output in outputs { try output.sendBarrier(number) }
    }

    func sendEnd() throws(JobFailure) {
        for output in outputs { try output.sendEnd() }
    }

    func flush() throws(JobFailure) -> Bool {
        var hadAny = false
        for output in outputs where try output.flush() { hadAny = true }
        return hadAny
    }
}
