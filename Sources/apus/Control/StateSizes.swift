import ApusRuntime
import ApusStateTools

/// How much state a running job has: counters, nothing is read for them.
struct StateSizes: Codable {
    /// An operator, over all its subtasks.
    struct Operator: Codable {
        var id: String
        /// Keys with state or timers, in memory or not, as of the last watermark.
        var keyCount: Int
        /// Bytes of state in memory, as of the last watermark.
        var byteCountInMemory: Int
    }

    var operators: [Operator]

    init(_ run: JobRun) {
        operators = run.progress().nodes.filter { $0.keyCount > 0 || $0.stateByteCount > 0 }.map {
            Operator(id: $0.id, keyCount: $0.keyCount, byteCountInMemory: $0.stateByteCount)
        }
    }

    /// The sizes for people.
    var text: String {
        guard !operators.isEmpty else { return "in the running job: no state" }
        let lines = operators.map {
            "  \($0.id): \($0.keyCount) keys, \($0.byteCountInMemory) bytes in memory"
        }
        return (["in the running job:"] + lines).joined(separator: "\n")
    }
}
