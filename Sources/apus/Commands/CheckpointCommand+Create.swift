import ApusControl
import ApusIO
import ArgumentParser

extension CheckpointCommand {
    /// `apus checkpoint create`.
    struct Create: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Have the running job take a checkpoint now, and wait until it is complete.",
            discussion: """
                The job goes on meanwhile. The checkpoint is one like all others: it goes when \
                `retain` newer ones are complete. To keep one, make it a savepoint: \
                `apus savepoint create --live`.

                EXAMPLE
                  apus checkpoint create --checkpoint state/flights
                """
        )

        @Option(
            help: ArgumentHelp(
                "The checkpoint folder, as spec.checkpoint names it.",
                valueName: "folder"
            )
        )
        var checkpoint: String

        @OptionGroup var socket: ControlOptions

        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            let client = try ControlPlace.connect(folder: checkpoint, socket: socket.control)
            let created = try LiveCheckpoint.create(client)
            let text = "job '\(created.job)': checkpoint \(created.checkpoint) is complete"
            try StateTool.print(created, text, json: json)
        }
    }
}
