import ApusCheckpoint
import ApusStateTools
import Testing

/// Goal: growth is what the counters of two checkpoints say, for an hour.
@Suite("Growth of state")
struct StateGrowthTests {
    private func manifest(_ number: UInt64, minute: Int64, keys: [String: [Int]]) -> Manifest {
        let operators = keys.sorted { $0.key < $1.key }.enumerated().map { index, element in
            OperatorState(
                id: element.key,
                number: UInt16(index),
                subtasks: element.value.enumerated().map { subtask, count in
                    SubtaskState(
                        subtask: subtask,
                        watermarkMicroseconds: nil,
                        keyCount: count,
                        byteCount: 0,
                        eventTimerCount: count * 2,
                        processingTimerCount: nil
                    )
                }
            )
        }
        return Manifest(
            job: "demo",
            number: number,
            createdMicroseconds: minute * 60_000_000,
            writerVersion: "0",
            maxParallelism: 4,
            parallelism: 1,
            operators: operators
        )
    }

    @Test("subtasks are added, operators compared by their ids")
    func compared() throws {
        let growth = StateGrowth(
            from: manifest(3, minute: 0, keys: ["a": [10, 20], "gone": [5]]),
            to: manifest(9, minute: 30, keys: ["a": [15, 15, 6], "new": [7], "z": []])
        )
        #expect(growth.operators.map(\.id) == ["a", "new"])
        let first = growth.operators[0]
        #expect((first.keys.before, first.keys.after, first.keys.perHour) == (30, 36, 12))
        #expect(first.timers.perHour == 24)
        #expect((growth.operators[1].keys.before, growth.operators[1].keys.perHour) == (0, 14))
        #expect(growth.text.contains("from checkpoint 3, 1970-01-01T00:00:00Z"))
        #expect(growth.text.contains("+12"))
    }

    @Test("what shrinks has a minus, and without time there is no rate")
    func shrinking() throws {
        let less = StateGrowth(
            from: manifest(1, minute: 0, keys: ["a": [90]]),
            to: manifest(2, minute: 120, keys: ["a": [50]])
        )
        #expect(less.operators[0].keys.perHour == -20 && less.text.contains("-40"))
        let same = manifest(2, minute: 1, keys: ["a": [50]])
        #expect(StateGrowth(from: same, to: same).operators[0].keys.perHour == nil)
    }
}
