import ApusGraph

/// A benchmark: a job that runs at full speed for a while.
package enum Benchmark: String, CaseIterable, Sendable {
    /// Counts records per key: source, exchange by key, plugin with a counter, discarding sink.
    case keyedCount = "keyed-count"
    /// Passes records on: source, plugin, discarding sink, all on one thread each.
    case passthrough
    /// Sets one event-time timer per record, which fires: source, exchange by key, plugin, sink.
    case timers

    /// One line for people.
    package var summary: String {
        switch self {
        case .keyedCount:
            "source -> exchange by key -> plugin that counts per key and emits (key, count) -> sink"
        case .passthrough:
            "source -> plugin that passes each record on -> sink"
        case .timers:
            "source -> exchange by key -> plugin that sets a timer per record and fires it -> sink"
        }
    }

    /// The component of the benchmark plugin.
    var component: String { rawValue }

    /// The node whose input is counted.
    static let measuredNode = "operator"

    /// The job.
    func job(_ options: BenchmarkOptions) -> JobDescription {
        let location = SourceLocation(line: 1, column: 1)
        let input = PortReference(node: "source", location: location)
        let output = PortReference(node: Self.measuredNode, location: location)
        return JobDescription(
            name: "bench-\(rawValue)",
            sources: [
                SourceDescription(
                    id: "source",
                    kind: .generator(
                        GeneratorDescription(
                            kind: .keyed(keyCount: options.keyCount, valueByteCount: 8)
                        )
                    ),
                    location: location
                )
            ],
            operators: [
                OperatorDescription(
                    id: Self.measuredNode,
                    plugin: "benchmark",
                    component: component,
                    inputs: [input],
                    key: self == .passthrough ? nil : .recordKey,
                    location: location
                )
            ],
            sinks: [
                SinkDescription(id: "sink", kind: .discard, inputs: [output], location: location)
            ]
        )
    }
}

/// What a benchmark is run with.
package struct BenchmarkOptions: Sendable {
    /// Distinct keys.
    package var keyCount: Int
    /// Task threads.
    package var parallelism: Int
    /// The length of a window in seconds.
    package var windowSeconds: Double
    /// How many windows are measured.
    package var windowCount: Int

    /// Creates options.
    package init(keyCount: Int, parallelism: Int, windowSeconds: Double, windowCount: Int) {
        self.keyCount = keyCount
        self.parallelism = parallelism
        self.windowSeconds = windowSeconds
        self.windowCount = windowCount
    }
}
