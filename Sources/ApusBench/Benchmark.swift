/// A benchmark of throughput: a job that runs at full speed for a while.
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
    package var component: String { rawValue }
}

/// What a benchmark of throughput is run with.
package struct BenchmarkOptions: Sendable {
    /// Distinct keys.
    package var keyCount: Int
    /// The length of a window in seconds.
    package var windowSeconds: Double
    /// How many windows are measured.
    package var windowCount: Int

    /// Creates options.
    package init(keyCount: Int, windowSeconds: Double, windowCount: Int) {
        self.keyCount = keyCount
        self.windowSeconds = windowSeconds
        self.windowCount = windowCount
    }
}
