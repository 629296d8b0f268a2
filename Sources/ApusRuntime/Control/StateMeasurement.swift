import ApusMemory
import ApusState

/// A question how much state a running job has.
///
/// Made by ``JobRun``; waited for by one thread.
package final class StateMeasurement: Sendable {
    /// How much state an operator has, over all its subtasks.
    package struct Operator: Sendable {
        /// The operator's id.
        package let id: String
        /// Keys with state or timers, in memory or not.
        package internal(set) var keyCount = 0
        /// Bytes of state and timers in memory.
        package internal(set) var byteCount = 0
        /// Keys that are in memory.
        package internal(set) var keyCountInMemory = 0
        /// Timers in event time that are armed.
        package internal(set) var eventTimerCount = 0
        /// Timers in processing time that are armed.
        package internal(set) var processingTimerCount = 0
        /// How many of the keys in memory have each state, from a sample of them.
        package internal(set) var states: [(name: String, keyCountInMemory: Int)]
        /// Subtasks that have ended, and say nothing.
        package internal(set) var endedSubtaskCount = 0
    }

    private let parts: [(id: String, states: [String], requests: [StateRequest])]
    private let bell: Doorbell

    init(_ parts: [(id: String, states: [String], requests: [StateRequest])], bell: Doorbell) {
        self.parts = parts
        self.bell = bell
    }

    /// Waits for the answer, at most so long.
    ///
    /// - Parameter nanoseconds: How long.
    /// - Returns: The operators; nil when the answer is not there yet.
    package func wait(nanoseconds: Int64) -> [Operator]? {
        bell.sleep(nanoseconds: nanoseconds) { isComplete }
        guard isComplete else { return nil }
        return parts.map { part in
            var sum = Operator(id: part.id, states: part.states.map { ($0, 0) })
            for request in part.requests {
                guard case .measured(let measure) = request.answer else {
                    sum.endedSubtaskCount += 1
                    continue
                }
                sum.add(measure)
            }
            return sum
        }
    }

    private var isComplete: Bool {
        parts.allSatisfy { $0.requests.allSatisfy { $0.answer != nil } }
    }
}

extension StateMeasurement.Operator {
    mutating func add(_ measure: StateMeasure) {
        keyCount += measure.keyCount
        byteCount += measure.byteCount
        keyCountInMemory += measure.sample.rowCount
        eventTimerCount += measure.eventTimerCount
        processingTimerCount += measure.processingTimerCount
        let lookedAt = measure.sample.lookedAtCount
        guard lookedAt > 0 else { return }
        for slot in states.indices {
            let found = Double(measure.sample.slotCounts[slot])
            let share = found * Double(measure.sample.rowCount) / Double(lookedAt)
            states[slot].keyCountInMemory += Int(share.rounded())
        }
    }
}
