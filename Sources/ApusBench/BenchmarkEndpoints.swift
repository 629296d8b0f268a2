import ApusGraph
import ApusIO
import ApusMemory
import ApusRuntime

/// The sources and sinks of a benchmark, whatever the job's description says.
struct BenchmarkEndpoints: EndpointFactory {
    /// Makes the source of a subtask, of so many.
    let source: @Sendable (_ subtask: Int, _ subtaskCount: Int) -> any RecordSource
    /// Makes the sink of a subtask.
    var sink: @Sendable () -> any RecordSink = { DiscardSink() }

    func makeSource(
        _ source: SourceDescription,
        key: KeySelector?,
        subtask: Int,
        subtaskCount: Int
    ) throws(EndpointError) -> any RecordSource { self.source(subtask, subtaskCount) }

    func makeSink(
        _ sink: SinkDescription,
        subtask: Int
    ) throws(EndpointError) -> any RecordSink { self.sink() }

    func makeKeyExtractor(_ path: [String]) -> any KeyExtractor {
        JSONKeyExtractor(path: path, nullValues: [])
    }
}

/// Benchmarks reject nothing.
struct NoDeadLetters: DeadLetters {
    func add(_ record: RejectedRecord, node: String) throws(EndpointError) {
        throw EndpointError("a benchmark's record was rejected by '\(node)': \(record.reason)")
    }

    func flush() {}
}
