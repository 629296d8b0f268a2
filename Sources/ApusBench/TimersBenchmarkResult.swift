/// What `apus bench timers --armed` measured; encodes as the JSON that it prints.
package struct TimersBenchmarkResult: Encodable, Sendable {
    /// The benchmark's name.
    package let benchmark = "timers"
    /// How many timers were armed.
    package let armed: Int
    /// How many keys they were dealt out to.
    package let keys: Int
    /// Task threads.
    package let parallelism: Int
    /// What all rows of a process may use, and the database's cache.
    package let memoryBudgetBytes: Int?
    /// The process that armed them.
    package let arming: TimersBenchmark.Armed
    /// The process that fired them.
    package let firing: TimersBenchmark.Fired

    private enum CodingKeys: String, CodingKey {
        case benchmark, armed, keys, parallelism, arming, firing
        case memoryBudgetBytes = "memory_budget_bytes"
    }

    /// Creates a result.
    package init(
        armed: Int,
        keys: Int,
        parallelism: Int,
        memoryBudgetBytes: Int?,
        arming: TimersBenchmark.Armed,
        firing: TimersBenchmark.Fired
    ) {
        self.armed = armed
        self.keys = keys
        self.parallelism = parallelism
        self.memoryBudgetBytes = memoryBudgetBytes
        self.arming = arming
        self.firing = firing
    }
}
