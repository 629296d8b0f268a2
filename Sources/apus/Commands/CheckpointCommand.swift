import ApusCheckpoint
import ArgumentParser

/// `apus checkpoint`.
struct CheckpointCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "checkpoint",
        abstract: "Look at the checkpoints of a job, verify them, take one, collect garbage.",
        discussion: """
            FOLDER is what spec.checkpoint.directory of the job file names. `create` asks the \
            running job for a checkpoint. All others but `gc --yes` only look, and may be used \
            while the job runs.

            EXAMPLE
              apus checkpoint list state/flights
            """,
        subcommands: [
            List.self, Show.self, Verify.self, Collect.self, Create.self,
        ]
    )

    /// Runs a part of a command; what is wrong with a folder ends the program with status 2.
    fileprivate static func orExit<Result>(
        _ body: () throws(CheckpointError) -> Result
    ) throws -> Result {
        do {
            return try body()
        } catch {
            Console.error(error.description)
            throw error.kind == .disk ? ExitStatus.failed : ExitStatus.invalid
        }
    }

    fileprivate static func open(_ path: String, _ world: World) throws -> CheckpointFolder {
        try orExit { () throws(CheckpointError) in
            try CheckpointFolder.openForReading(
                path,
                disk: world.disk,
                threads: world.threads,
                warn: { Console.note("warning: \($0)") }
            )
        }
    }

    /// `apus checkpoint list`.
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the checkpoints of a folder, oldest first.",
            discussion: """
                Names and lengths of files are checked; `apus checkpoint verify` reads them.

                EXAMPLE
                  apus checkpoint list state/flights
                """
        )

        @Argument(help: "The checkpoint folder.")
        var folder: String

        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            let folder = try CheckpointCommand.open(folder, World())
            let listing = try orExit { () throws(CheckpointError) in try CheckpointListing(folder) }
            try Console.print(json ? try Console.json(listing) : listing.text)
        }
    }

    /// `apus checkpoint show`.
    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print what a checkpoint holds: operators, states, sources, sinks, files.",
            discussion: """
                Without a number it is the current one.

                EXAMPLE
                  apus checkpoint show state/flights 17
                """
        )

        @Argument(help: "The checkpoint folder.")
        var folder: String

        @Argument(help: "The checkpoint's number.")
        var number: UInt64?

        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            let folder = try CheckpointCommand.open(folder, World())
            let details = try orExit { () throws(CheckpointError) in
                try CheckpointDetails(number, in: folder)
            }
            try Console.print(json ? try Console.json(details) : details.text)
        }
    }

    /// `apus checkpoint verify`.
    struct Verify: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Read all files of a checkpoint and compare them with their hashes.",
            discussion: """
                Without a number it is the current one. Damage ends it with status 2.

                EXAMPLE
                  apus checkpoint verify state/flights --all
                """
        )

        @Argument(help: "The checkpoint folder.")
        var folder: String

        @Argument(help: "The checkpoint's number.")
        var number: UInt64?

        @Flag(help: "Verify all checkpoints of the folder.")
        var all = false

        @Flag(help: "Print JSON.")
        var json = false

        func validate() throws {
            guard !all || number == nil else {
                throw ValidationError("a number or --all, not both")
            }
        }

        func run() throws {
            let folder = try CheckpointCommand.open(folder, World())
            let found = try orExit { () throws(CheckpointError) in
                guard all else { return [try CheckpointVerification(number, in: folder)] }
                var found: [CheckpointVerification] = []
                for element in try folder.list() {
                    found.append(try CheckpointVerification(element.number, in: folder))
                }
                return found
            }
            if json {
                try Console.print(try Console.json(found))
            } else {
                let text = found.map(\.text).joined(separator: "\n")
                try Console.print(text.isEmpty ? "no checkpoints in \(folder.path)" : text)
            }
            if !found.allSatisfy(\.isIntact) { throw ExitStatus.invalid }
        }
    }

    /// `apus checkpoint gc`.
    struct Collect: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "gc",
            abstract: "Remove old checkpoints and files that no checkpoint needs.",
            discussion: """
                A job does this itself after each checkpoint; this is for when it does not run. \
                What goes is moved to the trash first, and deleted when the command is given \
                again. Savepoints stay, and so does what somebody reads. Without --yes it says \
                what would go, and nothing is changed.

                EXAMPLE
                  apus checkpoint gc state/flights
                  apus checkpoint gc state/flights --yes
                """
        )

        @Argument(help: "The checkpoint folder.")
        var folder: String

        @Flag(help: "Say what would go; change nothing (the default).")
        var dryRun = false

        @Flag(help: "Do it.")
        var yes = false

        @Option(help: "So many complete checkpoints stay, at least 2.")
        var retain = 2

        @Flag(help: "Print JSON.")
        var json = false

        func validate() throws {
            guard !dryRun || !yes else {
                throw ValidationError(
                    "--dry-run and --yes: expected one of them; without either nothing is changed"
                )
            }
            guard retain >= 2 else { throw ValidationError("--retain must be 2 or more") }
        }

        func run() throws {
            let world = World()
            let reading = try CheckpointCommand.open(folder, world)
            let report = try orExit { () throws(CheckpointError) in
                guard yes else {
                    return try reading.collectGarbage(retaining: retain, isDryRun: true)
                }
                let folder = try CheckpointFolder.openForWriting(
                    reading.path,
                    job: reading.job,
                    disk: world.disk,
                    entropy: world.entropy,
                    warn: { Console.note("warning: \($0)") }
                )
                defer { folder.close() }
                try OfflineChange.refuseWhileOpen(folder)
                return try folder.collectGarbage(retaining: retain, isDryRun: false)
            }
            try Console.print(json ? try Console.json(report) : report.text)
        }
    }
}
