import ApusCheckpoint
import ApusCore
import ApusGraph
import ApusIO
import ApusPluginHost
import ApusRuntime
import ApusState
import ApusStateTools
import ApusStore

/// What outlives a job's process: its checkpoint folder, opened at the right place, and the local
/// database over it.
struct DurableJob {
    /// What the runtime gets; nil for a job without checkpoints.
    let settings: CheckpointSettings?
    private let database: StateDatabase?
    private let writer: StateWriter?
    /// Keeps other processes out of `state.dir`; nil without.
    private let stateLock: (any FileLock)?

    /// The least memory of the database's block cache.
    private static let blockCacheByteCountMin = 8 << 20
    /// The part of the budget that the block cache gets, and the most that is of use.
    private static let blockCacheShare = 8
    private static let blockCacheByteCountMax = 256 << 20

    /// Opens everything.
    ///
    /// - Parameters:
    ///   - plan: The job.
    ///   - world: The seams.
    ///   - start: Where to begin; nil when the user did not say.
    ///   - droppedState: The ids whose part of a checkpoint is given up.
    ///   - rewindsOutput: Whether output that was delivered after the checkpoint is moved away.
    ///   - swapped: The operators whose version was brought by a swap.
    ///   - isOnProbation: Whether what the job emits is held back.
    /// - Throws: ``CheckpointError`` or ``StoreError``, or ``StartError`` when the folder does not
    ///   hold what `start` asks for.
    init(
        _ plan: PhysicalPlan,
        world: World,
        start: StartPoint?,
        droppedState: [String],
        rewindsOutput: Bool = false,
        swapped: Set<String> = [],
        isOnProbation: Bool = false
    ) throws {
        guard let rule = plan.durability.checkpoint else {
            if case .rocksdb = plan.durability.storage { throw StartError.databaseAlone }
            if rewindsOutput { throw StartError.nothingToRewind }
            if let start, start != .new, start != .latestOrNew { throw StartError.noCheckpoints }
            settings = nil
            database = nil
            writer = nil
            stateLock = nil
            return
        }
        let folder = try CheckpointFolder.openForWriting(
            rule.directory,
            job: plan.jobName,
            disk: world.disk,
            entropy: world.entropy,
            threads: world.threads,
            warn: { Console.note("warning: \($0)") }
        )
        do {
            let restored = try Self.checkpoint(of: folder, start, world)
            if rewindsOutput, restored == nil { throw StartError.nothingToRewind }
            let opened = try Self.openState(plan, folder, restored, droppedState, world)
            (database, writer) = (opened.database, opened.writer)
            stateLock = opened.lock
            var settings = CheckpointSettings(
                folder: folder,
                rule: rule,
                disk: world.disk,
                state: CheckpointSettings.DurableState(
                    database: opened.database,
                    writer: opened.writer,
                    budget: opened.budget,
                    spillDirectory: opened.runs
                ),
                writerVersion: HostTable.version
            )
            settings.restored = restored
            settings.isRestoredOld = try Self.isOld(restored, start, folder)
            settings.rewindsOutput = rewindsOutput
            settings.droppedState = Set(droppedState)
            settings.swapped = swapped
            settings.isOnProbation = isOnProbation
            self.settings = settings
        } catch {
            folder.close()
            throw error
        }
    }

    /// The checkpoint that the job goes on from.
    var restored: Manifest? { settings?.restored }

    /// The checkpoint folder; nil for a job without.
    var folderPath: String? { settings?.folder.path }

    /// The number of the newest checkpoint, whether or not the job goes on from it; nil for none.
    ///
    /// - Throws: ``CheckpointError`` when the disk refuses to read.
    func newestCheckpoint() throws(CheckpointError) -> UInt64? {
        try settings?.folder.list().map(\.number).max()
    }

    /// Closes everything; after the job.
    func close() {
        writer?.close()
        database?.close()
        stateLock?.release()
        settings?.folder.close()
    }

    // MARK: - Where to begin

    private static func checkpoint(
        of folder: CheckpointFolder,
        _ start: StartPoint?,
        _ world: World
    ) throws -> Manifest? {
        switch start {
        case .new:
            folder.goOn(from: nil)
            return nil
        case .latest:
            guard let latest = try folder.latest() else {
                throw StartError.noneYet(folder.path)
            }
            return latest
        case .latestOrNew:
            return try folder.latest()
        case .number(let number):
            let manifest = try folder.manifest(number)
            try folder.verify(manifest)
            folder.goOn(from: manifest)
            return manifest
        case .path(let path):
            return try SavepointImport.openSavepoint(
                path,
                into: folder,
                disk: world.disk,
                nowMicroseconds: world.clock.wallMicroseconds(),
                writerVersion: HostTable.version
            )
        case nil:
            guard try folder.list().isEmpty else { throw StartError.notSaid(folder.path) }
            return nil
        }
    }

    /// Whether output may have been delivered since that the checkpoint does not know of.
    private static func isOld(
        _ restored: Manifest?,
        _ start: StartPoint?,
        _ folder: CheckpointFolder
    ) throws(CheckpointError) -> Bool {
        guard let restored else { return false }
        // A savepoint is as old as it is, though its copy here is new.
        if case .path = start { return true }
        return try folder.isOutdated(restored)
    }

    // MARK: - State

    private static func openState(
        _ plan: PhysicalPlan,
        _ folder: CheckpointFolder,
        _ restored: Manifest?,
        _ droppedState: [String],
        _ world: World
    ) throws -> (
        database: StateDatabase, writer: StateWriter, budget: MemoryBudget, runs: String,
        lock: (any FileLock)?
    ) {
        let budgetByteCount = (plan.durability.memoryBudget ?? .standard)
            .byteCount(ofLimit: LinuxMemory.limitByteCount())
        let cacheByteCount = min(
            max(budgetByteCount / blockCacheShare, blockCacheByteCountMin),
            blockCacheByteCountMax
        )
        let budget = MemoryBudget(byteCount: budgetByteCount - cacheByteCount)
        var runs = try folder.workDirectory("runs")
        var path = try folder.workDirectory("state") + "/database"
        var lock: (any FileLock)?
        if case .rocksdb(let directory?) = plan.durability.storage {
            lock = try lockState(directory, world)
            // A cache of the last checkpoint: what an earlier process has left is of no use.
            path = directory + "/database"
            runs = directory + "/runs"
            for left in [path, runs] where world.disk.exists(left) {
                try world.disk.removeTree(left)
            }
            try world.disk.makeDirectory(runs)
        }
        if let restored { try folder.materialize(restored, into: path) }
        let database = try StateDatabase(
            path: path,
            options: StateDatabase.Options(
                blockCacheByteCount: cacheByteCount,
                expiry: plan.hasExpiringState ? StateExpiry() : nil
            )
        )
        if let restored {
            try DroppedState.remove(
                droppedState,
                of: restored,
                from: database,
                directory: runs
            )
        }
        let writer = StateWriter(
            database: database,
            directory: runs,
            budget: budget,
            runByteCount: max(1 << 20, budgetByteCount / 16),
            threads: world.threads,
            notify: { Console.note("warning: \($0)") }
        )
        Failpoint.hit(.x5)
        return (database, writer, budget, runs, lock)
    }

    /// Keeps other processes out of a folder for the local database: each would empty it.
    private static func lockState(_ directory: String, _ world: World) throws -> any FileLock {
        try world.disk.makeDirectory(directory)
        do throws(DiskError) {
            return try world.disk.lock(directory + "/LOCK", .writer)
        } catch {
            guard error.isLocked else { throw error }
            throw StartError.stateInUse(directory, "\(error)")
        }
    }
}

extension PhysicalPlan {
    /// Whether any operator has state with a time to live.
    fileprivate var hasExpiringState: Bool {
        nodes.contains { node in
            guard case .operator(let description, _) = node.role else { return false }
            return !description.expiries.isEmpty
        }
    }
}

/// Why a job cannot begin where the user wants it to.
enum StartError: Error, CustomStringConvertible {
    /// The job has no `checkpoint:`.
    case noCheckpoints
    /// The job wants the database and takes no checkpoints.
    case databaseAlone
    /// Output is to be moved away, and there is no checkpoint that says which.
    case nothingToRewind
    /// There is no checkpoint.
    case noneYet(String)
    /// Another process has its database in the folder that `state.dir` names.
    case stateInUse(String, String)
    /// There are checkpoints, and the user did not say what to do with them.
    case notSaid(String)

    /// What was expected, what was found, how to go on.
    var description: String {
        switch self {
        case .noCheckpoints:
            "--from: the job takes no checkpoints; give it a `checkpoint:` with a folder, or start "
                + "it without --from"
        case .nothingToRewind:
            "--rewind-output: expected a checkpoint that the job goes on from, which says what of "
                + "the output stays, and there is none; name it with --from, or start the job "
                + "without --rewind-output"
        case .databaseAlone:
            "state.backend: rocksdb needs `checkpoint:` in this version; give the job a folder for "
                + "checkpoints, or take `state:` out"
        case .noneYet(let path):
            "--from latest: \(path) holds no checkpoint; to begin when there is none, use "
                + "--from latest-or-new"
        case .stateInUse(let path, let reason):
            "state.dir \(path): another job uses the folder: \(reason); stop that one, or give "
                + "this job a folder of its own"
        case .notSaid(let path):
            "\(path) holds checkpoints of this job; go on with --from latest, or begin anew and "
                + "give them up with --from new"
        }
    }
}
