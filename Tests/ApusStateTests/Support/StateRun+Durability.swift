import ApusIO
import ApusStore
import ApusTestSupport

@testable import ApusState

// Random snapshots, evictions, checkpoints and restarts between the callbacks.
extension StateRun {
    private var clock: LinuxClock { LinuxClock() }

    func workOnDurability() throws {
        if generator.isOnce(in: 2) { maintain() }
        if generator.isOnce(in: 3) { continueSnapshot() }
        switch generator.number(in: 0...29) {
        case 0: try takeCheckpoint()
        case 1: try restart()
        case 2: try abandonSnapshot()
        case 3...6: try useTools()
        default: break
        }
        if let failure = state.failure { try require(false, failure.description) }
    }

    func maintain() {
        state.maintain(untilNanoseconds: .max, clock: clock)
    }

    /// A short slice: the rest is written to meanwhile.
    func continueSnapshot() { state.continueSnapshot(untilNanoseconds: 0, clock: clock) }

    private func finishSnapshot() {
        while state.isSnapshotting {
            state.continueSnapshot(untilNanoseconds: .max, clock: clock)
        }
    }

    /// A checkpoint of state as it is at the barrier, whatever is done until it is written.
    private func takeCheckpoint() throws {
        guard let durable else { return }
        let number = durable.nextCheckpoint()
        state.beginSnapshot(number)
        let model = self.model
        let rows = savedRows()
        for _ in 0..<generator.number(in: 0...6) {
            try callBack()
            state.continueSnapshot(untilNanoseconds: 0, clock: clock)
            maintain()
        }
        finishSnapshot()
        if generator.isOnce(in: 2) { try callBack() }
        let directory = durable.directory(number)
        try durable.writer.takeCheckpoint(number, to: directory)
        durable.writer.releaseCheckpoint(number)
        saved = (directory, model, rows)
    }

    /// A checkpoint that comes to nothing: what was encoded stays part of later ones.
    private func abandonSnapshot() throws {
        guard let durable else { return }
        let number = durable.nextCheckpoint()
        state.beginSnapshot(number)
        if generator.isOnce(in: 2) { try callBack() }
        if generator.isOnce(in: 2) { finishSnapshot() }
        durable.writer.releaseCheckpoint(number)
    }

    /// Back to the last checkpoint.
    private func restart() throws {
        guard let durable, let saved else { return }
        try durable.restore(saved.directory)
        guard let state = makeState(saved.rows) else { return }
        harness.replaceState(state)
        model = saved.model
    }

    /// Lets the database delete what is gone, and the rows that wait for it.
    func bury() throws {
        guard let durable else { return }
        for _ in 0..<2 {
            let number = durable.nextCheckpoint()
            state.beginSnapshot(number)
            finishSnapshot()
            try durable.writer.takeCheckpoint(number, to: durable.directory(number))
            durable.writer.releaseCheckpoint(number)
            maintain()
        }
    }
}
