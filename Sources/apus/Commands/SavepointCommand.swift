import ApusIO
import ApusStateTools
import ArgumentParser

/// `apus savepoint`.
struct SavepointCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "savepoint",
        abstract: "Make and inspect savepoints: checkpoints in a portable, documented form.",
        discussion: """
            EXAMPLE
              apus savepoint create --checkpoint state/flights --to flights-monday
            """,
        subcommands: [Create.self, Inspect.self]
    )

    /// `apus savepoint create`.
    struct Create: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Write a checkpoint as a savepoint.",
            discussion: """
                The job may run meanwhile; with --live it takes a new checkpoint first. A \
                savepoint holds everything that a job needs to go on: state, timers, positions, \
                output that may not have been delivered, records in flight. \
                docs/formats/savepoint.md describes its bytes; no plugin and no database is \
                needed to read them.

                EXAMPLE
                  apus savepoint create --checkpoint state/flights --to flights-monday
                """
        )

        @OptionGroup var options: LiveStateOptions

        @Option(help: ArgumentHelp("The savepoint's folder; new.", valueName: "folder"))
        var to: String

        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            let result = try options.withCheckpoint { folder, manifest in
                try StateTool.orExit { () throws(StateToolError) in
                    try SavepointExport(
                        disk: LinuxDisk(),
                        entropy: LinuxEntropy(),
                        progress: { Console.note($0) }
                    )
                    .run(folder, manifest, to: to, workDirectory: options.stored.work)
                }
            }
            try StateTool.print(result, result.text, json: json)
        }
    }

    /// `apus savepoint inspect`.
    struct Inspect: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Read and verify all of a savepoint; print what it holds.",
            discussion: """
                Ends with status 2 when something is damaged.

                EXAMPLE
                  apus savepoint inspect flights-monday
                """
        )

        @Argument(help: "The savepoint's folder.")
        var folder: String

        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            let report = try StateTool.orExit { () throws(StateToolError) in
                try SavepointReport(try Savepoint(folder, disk: LinuxDisk()))
            }
            try StateTool.print(report, report.text, json: json)
        }
    }
}
