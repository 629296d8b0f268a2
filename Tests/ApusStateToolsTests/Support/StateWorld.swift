import ApusCore
import ApusIO
import ApusStore
import ApusTestSupport
import Foundation

@testable import ApusCheckpoint
@testable import ApusState
@testable import ApusStateTools

/// A checkpoint folder with checkpoints of several operators, and what they hold.
final class StateWorld {
    static let job = "demo"
    static let samples: [SampleOperator] = [.tickets, .aircraft, .retired]
    /// 2026-11-23T00:00:00Z.
    static let now: Int64 = 1_795_392_000_000_000

    let root: String
    let folderPath: String
    let groupCount: Int
    let disk = LinuxDisk()
    let entropy = LinuxEntropy()
    /// What the newest checkpoint that this made holds.
    private(set) var model = StateModel()
    private(set) var manifest: Manifest?

    init(groupCount: Int = 16) throws {
        self.groupCount = groupCount
        root = NSTemporaryDirectory() + "apus-state-tools-\(UUID().uuidString)"
        folderPath = root + "/checkpoints"
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: root)  // a leftover harms nobody
    }

    func openForWriting(_ path: String? = nil) throws -> CheckpointFolder {
        try CheckpointFolder.openForWriting(
            path ?? folderPath,
            job: Self.job,
            disk: disk,
            entropy: entropy,
            warn: { Issue.note($0) }
        )
    }

    func openForReading() throws -> CheckpointFolder {
        try CheckpointFolder.openForReading(folderPath, disk: disk)
    }

    func reader(_ number: UInt64? = nil) throws -> StateSnapshotReader {
        let folder = try openForReading()
        let manifest: Manifest
        if let number {
            manifest = try folder.manifest(number)
        } else {
            guard let latest = try folder.latest() else { throw Mismatch("no checkpoint") }
            manifest = latest
        }
        return try StateSnapshotReader(folder, manifest, disk: disk, entropy: entropy)
    }

    /// Keys of all kinds: none, short, long, text, binary, and some that begin alike.
    static func keys(_ count: Int, using generator: inout SplitMix64) -> [[UInt8]] {
        let fixed: [[UInt8]] = [
            [], Array("abc".utf8), [0xff, 0], Array("abcd".utf8), [0x30, 0x78],
        ]
        var keys = Set(fixed.prefix(count))
        while keys.count < count {
            keys.insert(
                generator.isOnce(in: 2)
                    ? Array("key-\(generator.number(in: 0...99_999))".utf8)
                    : generator.bytes(generator.sliceLength(upTo: 40))
            )
        }
        return keys.sorted { $0.lexicographicallyPrecedes($1) }
    }

    /// Fills state twice, with a flush between, and makes a checkpoint of it.
    @discardableResult
    func makeCheckpoint(
        seed: UInt64,
        keyCount: Int,
        at time: Int64 = now
    ) throws -> Manifest {
        let folder = try openForWriting()
        defer { folder.close() }
        let work = try folder.workDirectory("test")
        let runs = try folder.workDirectory("runs")
        let budget = MemoryBudget(byteCount: 64 << 20)
        let database = try StateDatabase(path: work + "/db", options: StateDatabase.Options())
        let writer = StateWriter(
            database: database,
            directory: runs,
            budget: budget,
            runByteCount: 32 << 10,
            threads: LinuxThreads(),
            notify: { Issue.note($0) }
        )
        defer {
            writer.close()
            database.close()
        }
        let benches = Self.samples.map { sample in
            StateBench(
                sample,
                groupCount: groupCount,
                tier: tier(database, writer, budget, sample, isRestored: false)
            )
        }
        model = StateModel()
        var generator = SplitMix64(seed: seed)
        for pass in 0..<2 {
            for (bench, sample) in zip(benches, Self.samples) {
                let count = pass == 0 ? keyCount : keyCount / 3
                for (index, key) in Self.keys(count, using: &generator).enumerated() {
                    let age = Int64(index % 10) * 86_400_000_000
                    try StateFill(bench: bench, sample: sample)
                        .fill(key, &model, at: time - age, using: &generator)
                }
            }
            if pass == 0 { snapshot(benches, writer, 1) }
        }
        let attempt = try folder.begin(folder.nextNumber)
        for bench in benches { bench.state.beginSnapshot(attempt.number) }
        finish(benches)
        try writer.takeCheckpoint(attempt.number, to: attempt.directory)
        let manifest = try describe(attempt, benches, work)
        try attempt.commit(manifest)
        self.manifest = try folder.manifest(attempt.number)
        return try folder.manifest(attempt.number)
    }

    private func snapshot(_ benches: [StateBench], _ writer: StateWriter, _ number: UInt64) {
        for bench in benches { bench.state.beginSnapshot(number) }
        finish(benches)
        writer.releaseCheckpoint(number)
    }

    private func finish(_ benches: [StateBench]) {
        for bench in benches {
            while bench.state.isSnapshotting {
                bench.state.continueSnapshot(untilNanoseconds: .max, clock: LinuxClock())
            }
        }
    }

    private func describe(
        _ attempt: CheckpointAttempt,
        _ benches: [StateBench],
        _ work: String
    ) throws -> Manifest {
        var files: [FileEntry] = []
        for entry in try disk.list(attempt.directory) {
            files.append(
                try attempt.add(
                    attempt.directory + "/" + entry.name,
                    role: .state,
                    logicalName: entry.name
                )
            )
        }
        try write("a log of output", to: work + "/outbox")
        try write("records in flight", to: work + "/in-flight")
        let outbox = try attempt.add(work + "/outbox", role: .outbox, logicalName: "out/0-1.log")
        let inFlight = try attempt.add(work + "/in-flight", role: .inFlight, logicalName: "t-0.log")
        return Manifest(
            job: Self.job,
            number: attempt.number,
            createdMicroseconds: Self.now,
            writerVersion: "0.1",
            maxParallelism: groupCount,
            parallelism: 2,
            operators: zip(benches, Self.samples).filter { $1.id != "retired" }
                .map { $1.declaration(keyCount: $0.state.keyCount) },
            sources: [
                SourceState(
                    id: "events",
                    kind: "file",
                    subtask: 0,
                    subtaskCount: 1,
                    position: [1, 2, 3],
                    watermarkMicroseconds: Self.now
                )
            ],
            sinks: [
                SinkState(
                    id: "results",
                    subtask: 0,
                    position: [9],
                    undelivered: [UndeliveredLog(epoch: 1, contentName: outbox.contentName)]
                )
            ],
            inFlight: [InFlight(node: "tickets", subtask: 0, contentName: inFlight.contentName)],
            files: files + [outbox, inFlight]
        )
    }

    func write(_ text: String, to path: String) throws {
        let file = try disk.openForWriting(path, appending: false)
        try file.writeBytes(Array(text.utf8))
        try file.close()
    }

    func tier(
        _ database: StateDatabase,
        _ writer: StateWriter,
        _ budget: MemoryBudget,
        _ sample: SampleOperator,
        isRestored: Bool
    ) -> StateTier {
        StateTier(
            database: database,
            writer: writer,
            budget: budget,
            operatorNumber: sample.number,
            groups: 0..<groupCount,
            isRestored: isRestored,
            restored: StateTotals()
        )
    }

    // MARK: - What an operator sees

    /// Restores a checkpoint as a job would, and compares what plugins see with a model.
    func checkRestored(
        _ folder: CheckpointFolder,
        _ manifest: Manifest,
        holds model: StateModel,
        samples: [SampleOperator] = [.tickets, .aircraft],
        alsoWithout missing: [[UInt8]] = []
    ) throws {
        let path = root + "/restored-\(UUID().uuidString)"
        try folder.materialize(manifest, into: path)
        let runs = path + "-runs"
        try disk.makeDirectory(runs)
        let database = try StateDatabase(path: path, options: StateDatabase.Options())
        let budget = MemoryBudget(byteCount: 64 << 20)
        let writer = StateWriter(
            database: database,
            directory: runs,
            budget: budget,
            runByteCount: 1 << 20,
            threads: LinuxThreads(),
            notify: { Issue.note($0) }
        )
        defer {
            writer.close()
            database.close()
        }
        for sample in samples {
            let bench = StateBench(
                sample,
                groupCount: groupCount,
                tier: tier(database, writer, budget, sample, isRestored: true)
            )
            bench.state.setTime(microseconds: 0, watermark: .min)
            let keys = model.keys[sample.number] ?? [:]
            for (key, held) in keys {
                try compare(bench, sample, key, held)
            }
            for key in missing where keys[key] == nil {
                try compare(bench, sample, key, StateModel.Key())
            }
            // Timers of keys that nobody has touched come by their wake-ups.
            let fresh = StateBench(
                sample,
                groupCount: groupCount,
                tier: tier(database, writer, budget, sample, isRestored: true)
            )
            for domain in [KeyedState.TimerDomain.event, .processing]
            where sample.timers.contains(where: { $0.domain == domain }) {
                let expected = model.timers(sample, domain)
                let found = fresh.fireAll(domain)
                try check(
                    found == expected,
                    "\(sample.id), \(domain): \(found.count) timers, not \(expected.count)"
                )
            }
            if let failure = fresh.state.failure ?? bench.state.failure { throw failure }
        }
    }

    private func compare(
        _ bench: StateBench,
        _ sample: SampleOperator,
        _ key: [UInt8],
        _ held: StateModel.Key
    ) throws {
        try bench.with(key) {
            for (slot, description) in sample.slots.enumerated() {
                let found = try bench.content(UInt32(slot), description.kind)
                try check(
                    found == held.slots[slot],
                    "\(sample.id) \(ByteText.shown(key)) \(description.name): "
                        + "\(String(describing: found)), not "
                        + "\(String(describing: held.slots[slot]))"
                )
            }
        }
    }
}

/// What a test says beside its result.
enum Issue {
    static func note(_ text: String) { print("note: \(text)") }
}
