import ApusCheckpoint
import ApusCore
import ApusGraph
import ApusJobFile
import ApusPluginHost
import ApusSwap

/// What the swap journal of an earlier process means for a job that starts.
struct SwapStart {
    /// The plugins that run instead of those that the job file names, by operator.
    private(set) var choices: [String: JobPreparation.Choice] = [:]
    private let source: JobSource
    private let recovery: SwapRecovery?
    private let history: SwapHistory?
    private let world: World

    /// Reads the journal and decides; changes nothing.
    ///
    /// - Parameters:
    ///   - source: The job.
    ///   - asked: Where the user wants it to begin.
    ///   - forgetsSwaps: Whether what the job file names is to run, whatever has replaced it.
    ///   - world: The seams.
    /// - Throws: ``SwapJournalError`` or ``CheckpointError``.
    init(
        _ source: JobSource,
        from asked: StartPoint?,
        forgetsSwaps: Bool = false,
        _ world: World
    ) throws {
        self.world = world
        self.source = source
        let job = source.job
        guard let folder = job.durability.checkpoint?.directory,
            let history = try SwapJournal.read(inFolder: folder, disk: world.disk)
        else {
            (recovery, history) = (nil, nil)
            return
        }
        self.history = history
        let checkpoints = try CheckpointFolder.openForReading(
            folder,
            disk: world.disk,
            threads: world.threads
        )
        let (origin, checkpoint) = try Self.origin(asked, checkpoints, history)
        var situation = SwapRecovery.Situation(
            history: history,
            jobFile: source.preparation.namedPlugins(of: job),
            origin: origin,
            checkpoint: checkpoint.map(SwapRecovery.Checkpoint.init),
            checkpoints: try SwapRecovery.Checkpoint.all(in: checkpoints),
            parallelism: source.preparation.parallelism(of: job),
            given: source.file
        )
        situation.forgetsSwaps = forgetsSwaps
        let recovery = try SwapRecovery(situation)
        self.recovery = recovery
        // Everything else is decided with that one.
        guard recovery.jobFile == nil else { return }
        let store = SwapStore(inFolder: folder, disk: world.disk)
        for (id, version) in recovery.versions {
            choices[id] = JobPreparation.Choice(
                path: try store.verifiedPath(of: version.sha256),
                component: version.component
            )
        }
    }

    /// Reads the job file that counts: another one than the job is started with when an upgrade has
    /// replaced that one, or was taken back.
    ///
    /// - Parameters:
    ///   - source: The job file that the job is started with.
    ///   - asked: Where the user wants it to begin.
    ///   - forgetsSwaps: Whether the given file is to run, whatever has replaced it.
    ///   - world: The seams.
    /// - Returns: That job, and what the journal means for it.
    /// - Throws: As `init` does; or the status to end with, when the file that counts is not valid.
    static func read(
        _ source: JobSource,
        from asked: StartPoint?,
        forgetsSwaps: Bool,
        _ world: World
    ) throws -> (source: JobSource, start: SwapStart) {
        let start = try SwapStart(source, from: asked, forgetsSwaps: forgetsSwaps, world)
        guard let file = start.recovery?.jobFile,
            let folder = source.job.durability.checkpoint?.directory
        else { return (source, start) }
        Console.note("note: \(start.recovery?.jobFileNote ?? "")")
        let copy = try copy(of: file, folder, world)
        let other = try source.preparation.of(file.path, copy: copy).read()
        return (other, try SwapStart(other, from: asked, world))
    }

    /// The copy of a job file; nil when there is none, and the file itself is as it was.
    private static func copy(
        of file: SwapIntent.JobFile,
        _ folder: String,
        _ world: World
    ) throws(SwapJournalError) -> String? {
        do throws(SwapJournalError) {
            return try SwapStore(.jobFiles, inFolder: folder, disk: world.disk)
                .verifiedPath(of: file.sha256)
        } catch {
            let bytes: [UInt8]
            do throws(DiskError) {
                bytes = try world.disk.readAll(
                    file.path,
                    maximumByteCount: JobFileReader.byteCountMax
                )
            } catch let second {
                throw SwapJournalError(.plugin, "\(error); nor can \(file.path) be read: \(second)")
            }
            if FileDigest.sha256(bytes) == file.sha256 { return nil }
            throw SwapJournalError(
                .plugin,
                "\(error); \(file.path) has other content by now; or start the job with the file "
                    + "that is to count, and --forget-swaps"
            )
        }
    }

    /// The number of subtasks; nil for what the job would have.
    var parallelism: Int? { recovery?.parallelism }

    /// The operators whose version was brought by a swap.
    var swapped: Set<String> { recovery?.swapped ?? [] }

    /// Where the job begins.
    func start(_ asked: StartPoint?) -> StartPoint? {
        // Who has not said where to begin has not said that it may go on, either.
        guard let asked else { return nil }
        return recovery?.checkpoint.map(StartPoint.number) ?? asked
    }

    /// Notes in the journal what was decided, and tells the user.
    ///
    /// What the job file has brought is noted when the job runs: ``adopt(in:)``.
    ///
    /// - Parameter folder: The checkpoint folder, which is locked by now.
    /// - Returns: The journal; nil for a job that has none.
    /// - Throws: ``SwapJournalError``; also when another process has written since it was read.
    func record(in folder: CheckpointFolder?) throws(SwapJournalError) -> SwapJournal? {
        guard let folder, let history, let recovery else { return nil }
        let journal = try SwapJournal(inFolder: folder.path, disk: world.disk) {
            Console.note("warning: \($0)")
        }
        guard journal.history == history else {
            throw SwapJournalError(
                .damaged,
                "\(journal.path): another process has added to it while this one started; expected "
                    + "it as it was; start the job again"
            )
        }
        for event in recovery.events where !event.isAdoption {
            try journal.add(event, atMicroseconds: world.clock.wallMicroseconds())
            if case .rolledBack(_, _, _, let cause, _) = event, cause.quarantines {
                Failpoint.hit(.b6)
            }
        }
        if let note = recovery.note { Console.note("note: \(note)") }
        // Nothing is under way now: what only an operation has needed goes.
        for kind in [SwapStore.Kind.plugins, .jobFiles] {
            _ = try SwapStore(kind, inFolder: folder.path, disk: world.disk)
                .collect(for: folder, journal.history)
        }
        return journal
    }

    /// Notes what the job file has brought: the job runs with it.
    ///
    /// A start that comes to nothing decides nothing.
    ///
    /// - Throws: ``SwapJournalError`` when the disk refuses; the next start finds it again.
    func adopt(in journal: SwapJournal?) throws(SwapJournalError) {
        guard let journal, let folder = source.job.durability.checkpoint?.directory else { return }
        for event in recovery?.events ?? [] where event.isAdoption {
            if case .adoptedJobFile = event {
                try SwapStore(.jobFiles, inFolder: folder, disk: world.disk)
                    .put(source.bytes, sha256: source.sha256)
            }
            try journal.add(event, atMicroseconds: world.clock.wallMicroseconds())
        }
    }

    /// The checkpoint that the job would go on from.
    private static func origin(
        _ asked: StartPoint?,
        _ folder: CheckpointFolder,
        _ history: SwapHistory
    ) throws -> (SwapRecovery.Origin, Manifest?) {
        switch asked {
        case .new: return (.beginning, nil)
        case .path(let savepoint):
            if let open = history.open {
                throw SwapJournalError(
                    .underWay,
                    "--from \(savepoint): \(open.intent.text) is under way; expected none: start "
                        + "the job with --from latest, which ends it, and then from the savepoint"
                )
            }
            return (.named, nil)
        case .number(let number): return (.named, try folder.manifest(number))
        case .latest, .latestOrNew, nil:
            return (.newest, try folder.latest(verifyingFiles: false))
        }
    }
}
