import ApusCore
import ApusGraph
import ApusIO
import ApusMemory
import ApusRuntime

/// Generators and discarding sinks.
struct BenchmarkEndpoints: EndpointFactory {
    let clock: any Clock
    /// Whether records carry event time: counting needs none.
    let hasTime: Bool

    func makeSource(
        _ source: SourceDescription,
        key: KeySelector?,
        subtask: Int,
        subtaskCount: Int
    ) throws(EndpointError) -> any RecordSource {
        guard case .generator(let generator) = source.kind,
            case .keyed(let keyCount, let valueByteCount) = generator.kind
        else { throw EndpointError("a benchmark reads a keyed generator") }
        return GeneratorSource(
            kind: .keyed(keyCount: keyCount, valueByteCount: valueByteCount),
            count: nil,
            recordsPerSecond: nil,
            seed: generator.seed,
            subtask: subtask,
            subtaskCount: subtaskCount,
            time: hasTime ? .perRecord(startMicroseconds: 0, stepMicroseconds: 1) : .none,
            clock: clock
        )
    }

    func makeSink(
        _ sink: SinkDescription,
        subtask: Int
    ) throws(EndpointError) -> any RecordSink { DiscardSink() }

    func makeKeyExtractor(_ path: [String]) -> any KeyExtractor {
        JSONKeyExtractor(path: path, nullValues: [])
    }
}

/// Benchmarks reject nothing.
struct NoDeadLetters: DeadLetters {
    func add(_ record: RejectedRecord, node: String) throws(EndpointError) {
        throw EndpointError("a benchmark's record was rejected by '\(node)': \(record.reason)")
    }
}
