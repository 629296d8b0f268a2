import ApusCheckpoint
import ApusCore
import ApusGraph
import ApusIO
import ApusRuntime
import ApusState
import ApusStore
import ApusTestPlugins

/// A folder for checkpoints, and what a process does with it before and after a job.
final class CheckpointWorld {
    /// What one process has open.
    final class Session {
        let settings: CheckpointSettings
        private let state: CheckpointSettings.DurableState

        fileprivate init(_ settings: CheckpointSettings, _ state: CheckpointSettings.DurableState) {
            self.settings = settings
            self.state = state
        }

        fileprivate func close() {
            state.writer.close()
            state.database.close()
            settings.folder.close()
        }
    }

    private struct Seed: Entropy {
        func seed() -> UInt64 { UInt64.random(in: 0 ... .max) }
    }

    let folder: TestFolder
    var disk: any Disk = LinuxDisk()
    var rule: CheckpointDescription
    /// Small enough that rows have to leave memory.
    var stateByteCount = 64 << 20
    var deliveryPatienceMicroseconds: Int64 = 3_000_000
    var droppedState: Set<String> = []
    let warnings = RunningJob.Notes()
    /// The budget of the newest session.
    private(set) var budget: MemoryBudget?
    private var databaseCount = 0

    init(intervalMicroseconds: Int64 = 3000, alignmentTimeoutMicroseconds: Int64? = nil) throws {
        folder = try TestFolder()
        rule = CheckpointDescription(
            directory: folder.path,
            intervalMicroseconds: intervalMicroseconds,
            alignmentTimeoutMicroseconds: alignmentTimeoutMicroseconds
        )
    }

    /// Where sinks write their logs; outlives the processes, so that tests can look.
    var logFolder: String { folder.path }

    private var path: String { folder.file("checkpoints") }

    /// Opens everything as a process does, and goes on from the newest checkpoint.
    func open() throws -> Session {
        let checkpoints = try CheckpointFolder.openForWriting(
            path,
            job: "job",
            disk: disk,
            entropy: Seed(),
            warn: { [warnings] in warnings.add($0) }
        )
        let restored = try checkpoints.latest()
        databaseCount += 1
        let database = folder.file("state-\(databaseCount)")
        if let restored { try checkpoints.materialize(restored, into: database) }
        let runs = folder.file("runs-\(databaseCount)")
        try disk.makeDirectory(runs)
        let budget = MemoryBudget(byteCount: stateByteCount)
        self.budget = budget
        let opened = try StateDatabase(path: database, options: StateDatabase.Options())
        let state = CheckpointSettings.DurableState(
            database: opened,
            writer: StateWriter(
                database: opened,
                directory: runs,
                budget: budget,
                runByteCount: 64 << 10,
                threads: TestThreads(),
                notify: { [warnings] in warnings.add($0) }
            ),
            budget: budget
        )
        var settings = CheckpointSettings(
            folder: checkpoints,
            rule: rule,
            disk: disk,
            state: state,
            writerVersion: "test"
        )
        settings.restored = restored
        settings.droppedState = droppedState
        settings.deliveryPatienceMicroseconds = deliveryPatienceMicroseconds
        return Session(settings, state)
    }

    /// Runs a job from the newest checkpoint.
    ///
    /// - Parameters:
    ///   - job: The job.
    ///   - seconds: How long to wait for its end.
    ///   - body: What is done while it runs.
    /// - Returns: How it ended, its checkpoints, and what it told the user.
    /// - Throws: What `body` throws, or that the job cannot start or does not end.
    @discardableResult
    func run(
        _ job: TestJob,
        seconds: Double = 30,
        while body: (RunningJob) throws -> Void = { _ in }
    ) throws -> (summary: JobRun.Summary, checkpoints: [CheckpointStatistics], notes: [String]) {
        let session = try open()
        defer { session.close() }
        let running = try job.start(session.settings)
        do {
            try body(running)
        } catch {
            running.run.abort()
            _ = running.run.wait()
            throw error
        }
        let summary = try running.wait(seconds: seconds)
        return (summary, running.run.checkpoints(), running.notes.all)
    }

    /// Looks at the newest checkpoint.
    func latest() throws -> Manifest? {
        let reading = try CheckpointFolder.openForReading(path, disk: LinuxDisk())
        defer { reading.close() }
        return try reading.latest()
    }
}
