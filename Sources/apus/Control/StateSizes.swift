import ApusRuntime
import ApusStateTools

/// How much state a running job has, by its own counters: the result of `state.sizes`.
struct StateSizes: Codable {
    /// A state of an operator.
    struct State: Codable {
        var name: String
        /// Keys in memory that have it, from a sample of 1024 of each subtask.
        var keyCountInMemory: Int
    }

    /// An operator, over all its subtasks.
    struct Operator: Codable {
        var id: String
        /// Keys with state or timers, in memory or not.
        var keyCount: Int
        var keyCountInMemory: Int
        /// Bytes of state and timers in memory.
        var byteCountInMemory: Int
        var eventTimerCount: Int
        var processingTimerCount: Int
        var states: [State]
        /// Subtasks that have ended, and are not counted.
        var endedSubtaskCount: Int
    }

    var operators: [Operator]

    init(_ operators: [StateMeasurement.Operator]) {
        self.operators = operators.map { found in
            Operator(
                id: found.id,
                keyCount: found.keyCount,
                keyCountInMemory: found.keyCountInMemory,
                byteCountInMemory: found.byteCount,
                eventTimerCount: found.eventTimerCount,
                processingTimerCount: found.processingTimerCount,
                states: found.states.map {
                    State(name: $0.name, keyCountInMemory: $0.keyCountInMemory)
                },
                endedSubtaskCount: found.endedSubtaskCount
            )
        }
    }

    /// The sizes for people.
    var text: String {
        guard !operators.isEmpty else { return "in the running job: no state" }
        var lines = ["in the running job:"]
        for found in operators {
            let timers = found.eventTimerCount + found.processingTimerCount
            lines.append(
                "  \(found.id): \(found.keyCount) keys, \(timers) timers; in memory "
                    + "\(found.keyCountInMemory) keys, \(SizeText.text(found.byteCountInMemory))"
            )
            for state in found.states {
                lines.append("    \(state.name): about \(state.keyCountInMemory) keys in memory")
            }
            if found.endedSubtaskCount > 0 {
                lines.append("    \(found.endedSubtaskCount) subtasks have ended: not counted")
            }
        }
        return lines.joined(separator: "\n")
    }
}
