import ApusCheckpoint
import ApusCore
import ApusIO
import ApusPluginHost
import ApusStateTools
import ArgumentParser

/// `apus state`.
struct StateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "state",
        abstract: "Look into the state of a checkpoint, and change it.",
        discussion: """
            Everything reads a checkpoint; with --live one that the running job takes for it. What \
            changes state makes a new checkpoint and leaves the old one as it is; the job must not \
            run then.

            EXAMPLE
              apus state ls --checkpoint state/flights
              apus state size --checkpoint state/flights --live
            """,
        subcommands: [
            List.self, Size.self, Growth.self, Get.self, Scan.self, Top.self, Export.self,
            Import.self, Purge.self, Undo.self,
        ]
    )
}

/// What the commands take that read the state of a checkpoint.
struct StateOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The checkpoint folder, as spec.checkpoint names it.",
            valueName: "folder"
        )
    )
    var checkpoint: String

    @Option(help: "The checkpoint's number (default: the newest).")
    var number: UInt64?

    @Option(
        help: ArgumentHelp(
            "Where the temporary folder for reading goes (default: beside the checkpoint folder).",
            valueName: "folder"
        )
    )
    var work: String?

    /// Opens the folder for reading, and picks the checkpoint.
    func open() throws -> (folder: CheckpointFolder, manifest: Manifest) {
        try StateTool.orExitFromFolder { () throws(CheckpointError) in
            let folder = try CheckpointFolder.openForReading(
                checkpoint,
                disk: LinuxDisk(),
                threads: LinuxThreads(),
                warn: StateTool.warn
            )
            return (folder, try pick(folder))
        }
    }

    /// Opens the folder for a new checkpoint, and picks the one to go on from.
    func openForWriting() throws -> (folder: CheckpointFolder, manifest: Manifest) {
        try StateTool.orExitFromFolder { () throws(CheckpointError) in
            let disk = LinuxDisk()
            // The job's name is the folder's own: it is made by jobs alone.
            let job = try CheckpointFolder.openForReading(checkpoint, disk: disk).job
            let folder = try CheckpointFolder.openForWriting(
                checkpoint,
                job: job,
                disk: disk,
                entropy: LinuxEntropy(),
                threads: LinuxThreads(),
                warn: StateTool.warn
            )
            do throws(CheckpointError) {
                try OfflineChange.refuseWhileOpen(folder)
            } catch {
                folder.close()
                throw error
            }
            let manifest = try pick(folder)
            if number != nil { folder.goOn(from: manifest) }
            try warnOfNewer(than: manifest, in: folder)
            return (folder, manifest)
        }
    }

    /// Says that a new checkpoint leaves others behind, unless it goes on from the newest one.
    func warnOfNewer(
        than manifest: Manifest,
        in folder: CheckpointFolder
    ) throws(CheckpointError) {
        let newer = try folder.list().map(\.number).filter { $0 > manifest.number }
        guard !newer.isEmpty else { return }
        let names = newer.map(String.init).joined(separator: ", ")
        StateTool.warn(
            "checkpoint \(manifest.number) is not the newest one: the new checkpoint goes on from "
                + "it, and what came after it, in \(names), "
                + "is given up; without --number the newest one is taken"
        )
    }

    /// Says the same when nothing is changed yet.
    func warnOfNewer() throws {
        let (folder, manifest) = try open()
        try StateTool.orExitFromFolder { () throws(CheckpointError) in
            try warnOfNewer(than: manifest, in: folder)
        }
    }

    private func pick(_ folder: CheckpointFolder) throws(CheckpointError) -> Manifest {
        if let number { return try folder.manifest(number) }
        if let latest = try folder.latest(verifyingFiles: false) { return latest }
        // Says that there is none, and what it has looked for.
        return try folder.manifest(0)
    }

    /// Runs `body` with the state of the checkpoint.
    func read<Result>(
        _ body: (StateSnapshotReader) throws(StateToolError) -> Result
    ) throws -> Result {
        let (folder, manifest) = try open()
        return try read(folder, manifest, body)
    }

    /// Runs `body` with the state of a checkpoint that was opened before.
    func read<Result>(
        _ folder: CheckpointFolder,
        _ manifest: Manifest,
        _ body: (StateSnapshotReader) throws(StateToolError) -> Result
    ) throws -> Result {
        try StateTool.orExit { () throws(StateToolError) in
            let reader = try StateSnapshotReader(
                folder,
                manifest,
                workDirectory: work,
                disk: LinuxDisk(),
                entropy: LinuxEntropy()
            )
            let result = try body(reader)
            try reader.close()
            return result
        }
    }
}

/// What the commands about state have in common.
enum StateTool {
    /// What makes a checkpoint, for its manifest.
    static let writerVersion = HostTable.version

    /// Tells a person something beside the result.
    @Sendable
    static func warn(_ text: String) { Console.note("warning: \(text)") }

    /// Runs a part of a command; what is wrong with the input ends the program with status 2.
    static func orExit<Result>(
        _ body: () throws(StateToolError) -> Result
    ) throws -> Result {
        do {
            return try body()
        } catch {
            Console.error(error.description)
            throw error.kind == .input ? ExitStatus.invalid : ExitStatus.failed
        }
    }

    /// Runs a part of a command that has to do with a checkpoint folder.
    static func orExitFromFolder<Result>(
        _ body: () throws(CheckpointError) -> Result
    ) throws -> Result {
        do {
            return try body()
        } catch {
            Console.error(error.description)
            throw error.kind == .disk ? ExitStatus.failed : ExitStatus.invalid
        }
    }

    /// Prints a report as text or as JSON.
    static func print(_ report: some Encodable, _ text: String, json: Bool) throws {
        try Console.print(json ? try Console.json(report) : text)
    }
}
