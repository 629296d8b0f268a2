import ApusCore
import ApusTestSupport
import Synchronization
import Testing

@testable import ApusCheckpoint

/// Whatever moment a process or the power ends at, the next one finds the checkpoint before or the
/// new one, whole.
@Suite("Checkpoint folder: crashes")
struct CrashTests {
    /// The disk after a step, and which checkpoints may be the newest then.
    private struct Moment {
        let model: DiskModel
        let newest: Set<UInt64>
        /// The highest number that was given.
        let begun: UInt64
    }

    /// What may be the newest while steps are being recorded.
    private final class Recorder: Sendable {
        private struct State {
            var newest: Set<UInt64> = [0]
            var begun: UInt64 = 0
            var moments: [Moment] = []
        }

        private let state: Mutex<State> = Mutex(State())

        func note(_ newest: Set<UInt64>) { state.withLock { $0.newest = newest } }

        func note(begun: UInt64) { state.withLock { $0.begun = begun } }

        func add(_ model: DiskModel) {
            state.withLock { state in
                state.moments.append(
                    Moment(model: model, newest: state.newest, begun: state.begun)
                )
            }
        }

        var moments: [Moment] { state.withLock { $0.moments } }
    }

    /// All moments in the life of a job that takes some checkpoints.
    private static func record(
        seed: UInt64,
        checkpointCount: Int
    ) throws -> (moments: [Moment], contents: [UInt64: [String: [UInt8]]]) {
        let recorder = Recorder()
        let disk = FakeDisk { recorder.add($0) }
        let job = try TestJob(disk, seed: seed)
        var newest: UInt64 = 0
        for _ in 0..<checkpointCount {
            try job.takeCheckpoint(
                onBegin: { recorder.note(begun: $0) },
                onCommit: { recorder.note([newest, $0]) }
            )
            newest += 1
            recorder.note([newest])
            try job.folder.collectGarbage(isDryRun: false)
        }
        return (recorder.moments, job.contents)
    }

    @Test("a process that ends at any step leaves a whole checkpoint", arguments: [1, 2])
    func processEnds(seed: UInt64) throws {
        let (moments, contents) = try Self.record(seed: seed, checkpointCount: 4)
        #expect(moments.count > 150)
        var random = SplitMix64(seed: seed)
        var found: Set<UInt64> = []
        for (index, moment) in moments.enumerated() {
            let message = "seed \(seed), after step \(index)"
            let number = try Recovery.check(
                moment.model,
                contents.filter { $0.key <= moment.begun },
                newestIn: moment.newest,
                isThorough: random.isOnce(in: 3),
                message
            )
            found.insert(number)
        }
        #expect(found == [0, 1, 2, 3, 4])
    }

    @Test("a power cut at any step leaves a whole checkpoint", arguments: [3, 4])
    func powerCut(seed: UInt64) throws {
        let (moments, contents) = try Self.record(seed: seed, checkpointCount: 4)
        var random = SplitMix64(seed: seed)
        var found: Set<UInt64> = []
        for (index, moment) in moments.enumerated() {
            for cut in 0..<4 {
                let left = moment.model.afterPowerCut(&random, keepsNothing: cut == 0)
                let number = try Recovery.check(
                    left,
                    contents.filter { $0.key <= moment.begun },
                    newestIn: moment.newest,
                    isThorough: random.isOnce(in: 12),
                    "seed \(seed), power cut \(cut) after step \(index)"
                )
                found.insert(number)
            }
        }
        #expect(found == [0, 1, 2, 3, 4])
    }

    @Test("a power cut in the middle of the recovery from another leaves a whole checkpoint")
    func twoPowerCuts() throws {
        let seed: UInt64 = 5
        let (moments, contents) = try Self.record(seed: seed, checkpointCount: 3)
        var random = SplitMix64(seed: seed)
        for (index, moment) in moments.enumerated() where random.isOnce(in: 4) {
            let recorder = Recorder()
            let left = moment.model.afterPowerCut(&random)
            let disk = FakeDisk(left) { recorder.add($0) }
            let folder = try TestJob.open(disk)
            let number = try folder.latest()?.number ?? 0
            #expect(moment.newest.contains(number))
            for (second, moment) in recorder.moments.enumerated() {
                try Recovery.check(
                    moment.model.afterPowerCut(&random),
                    contents,
                    newestIn: [number],
                    isThorough: false,
                    "seed \(seed), power cuts after steps \(index) and \(second)"
                )
            }
        }
    }
}
