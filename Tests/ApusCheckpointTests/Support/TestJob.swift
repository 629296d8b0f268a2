import ApusCore
import ApusTestSupport

@testable import ApusCheckpoint

/// A job that takes checkpoints of a make-believe database, and remembers what each one holds.
///
/// The database has files that never change (".sst", linked into each checkpoint as long as it
/// needs them) and one that is new each time.  Beside them lies a log per epoch, which the
/// checkpoint after it carries too.
final class TestJob {
    static let path = "/store/job"

    /// What a checkpoint holds: logical names and bytes, by number.
    private(set) var contents: [UInt64: [String: [UInt8]]] = [:]
    let disk: FakeDisk
    let warnings = Warnings()
    private(set) var folder: CheckpointFolder
    private var random: SplitMix64
    private var database: [String] = []
    private var fileCount = 0
    private var lastLog: FileEntry?
    private var lastLogBytes: [UInt8] = []
    private(set) var attempt: CheckpointAttempt?

    /// Opens the folder, and goes on from the newest checkpoint if there is one.
    init(_ disk: FakeDisk, seed: UInt64, contents: [UInt64: [String: [UInt8]]] = [:]) throws {
        self.disk = disk
        self.contents = contents
        random = SplitMix64(seed: seed)
        folder = try Self.open(disk, warnings)
        guard let manifest = try folder.latest() else {
            try disk.makeDirectory(databasePath)
            return
        }
        try folder.materialize(manifest, into: databasePath)
        database = manifest.files.filter { $0.logicalName.hasSuffix(".sst") }.map(\.logicalName)
        lastLog = manifest.files.first { $0.role == .outbox && $0.logicalName.hasPrefix("new/") }
        if let lastLog { lastLogBytes = contents[manifest.number]?[lastLog.logicalName] ?? [] }
    }

    static func open(
        _ disk: FakeDisk,
        job: String = "flights",
        _ warnings: Warnings = Warnings()
    ) throws(CheckpointError) -> CheckpointFolder {
        try CheckpointFolder.openForWriting(
            path,
            job: job,
            disk: disk,
            entropy: SequenceEntropy(),
            warn: { warnings.add($0) }
        )
    }

    private var databasePath: String { Self.path + "/work/database" }

    /// The names in `files/`.
    var files: [String] { (try? disk.list(Self.path + "/files").map(\.name)) ?? [] }

    /// Takes a checkpoint, and gives it up when something fails; returns its number.
    @discardableResult
    func takeCheckpoint(
        kind: Manifest.Kind = .checkpoint,
        onBegin: (UInt64) -> Void = { _ in },
        onCommit: (UInt64) -> Void = { _ in }
    ) throws -> UInt64 {
        let number = folder.nextNumber
        do {
            let attempt = try folder.begin(number)
            self.attempt = attempt
            onBegin(number)
            try changeDatabase()
            let made = try fill(attempt, kind)
            contents[number] = made.content
            onCommit(number)
            try attempt.commit(made.manifest)
            (lastLog, lastLogBytes) = (made.log, made.content[made.log.logicalName] ?? [])
            return number
        } catch {
            attempt?.abandon()
            throw error
        }
    }

    /// Adds the files of a checkpoint; returns its manifest and what is in it.
    func fill(
        _ attempt: CheckpointAttempt,
        _ kind: Manifest.Kind
    ) throws -> (manifest: Manifest, content: [String: [UInt8]], log: FileEntry) {
        var content: [String: [UInt8]] = [:]
        var files: [FileEntry] = []
        // What a database does for a checkpoint: links, and a file of its own.
        try disk.makeDirectory(attempt.directory)
        for name in database {
            try disk.link(databasePath + "/" + name, at: attempt.directory + "/" + name)
        }
        try write("MANIFEST", to: attempt.directory, 40)
        for name in database + ["MANIFEST"] {
            let path = attempt.directory + "/" + name
            content[name] = disk.model.bytes(path)
            files.append(try attempt.add(path, role: .state, logicalName: name))
        }
        let logs = try folder.workDirectory("logs")
        let logName = "new/\(attempt.number)"
        let path = try write("log-\(attempt.number)", to: logs, 60)
        let log = try attempt.add(path, role: .outbox, logicalName: logName)
        content[logName] = disk.model.bytes(path)
        var undelivered = [UndeliveredLog(epoch: attempt.number, contentName: log.contentName)]
        if let last = lastLog {
            try attempt.carry(last)
            let old = FileEntry(
                role: .outbox,
                logicalName: "old/" + last.logicalName.split(separator: "/")[1],
                hash: try require(ContentHash(last.hash)),
                byteCount: last.byteCount
            )
            files.append(old)
            content[old.logicalName] = lastLogBytes
            undelivered.insert(
                UndeliveredLog(epoch: attempt.number - 1, contentName: old.contentName),
                at: 0
            )
        }
        files.append(log)
        let manifest = Manifest(
            job: "flights",
            number: attempt.number,
            kind: kind,
            createdMicroseconds: 1_700_000_000_000_000 + Int64(attempt.number),
            writerVersion: "0.1.0",
            maxParallelism: 1_024,
            parallelism: 2,
            sources: [
                SourceState(
                    id: "departures",
                    kind: "file",
                    subtask: 0,
                    subtaskCount: 1,
                    position: [UInt8(truncatingIfNeeded: attempt.number), 0xff, 0]
                )
            ],
            sinks: [SinkState(id: "results", subtask: 0, undelivered: undelivered)],
            files: files
        )
        return (manifest, content, log)
    }

    /// A new file or two; now and then old ones are merged into one.
    private func changeDatabase() throws {
        if database.count > 3 || (database.count > 1 && random.isOnce(in: 4)) {
            for _ in 0..<2 { try disk.removeTree(databasePath + "/" + database.removeFirst()) }
        }
        for _ in 0...random.number(in: 0...1) {
            fileCount += 1
            let name = "\(folder.nextNumber)-\(fileCount).sst"
            try write(name, to: databasePath, 100)
            database.append(name)
        }
    }

    @discardableResult
    private func write(_ name: String, to folder: String, _ limit: Int) throws -> String {
        let path = folder + "/" + name
        let file = try disk.create(path)
        let bytes = random.bytes(random.number(in: 1...limit))
        try bytes.withUnsafeBytes { try file.write($0) }
        try file.close()
        return path
    }
}

/// The value, or an error that says that there is none.
private func require<Value>(_ value: Value?) throws -> Value {
    guard let value else { throw Mismatch("expected a value") }
    return value
}
