import ApusControl
import ArgumentParser

extension SwapCommand {
    /// `apus swap release`.
    struct Release: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Allow a version again that was taken back.",
            discussion: """
                A version that broke a limit, or with which the process ended, is not tried again; \
                after a power cut, say, it may be without blame.

                EXAMPLE
                  apus swap release state/tickets 8ed11180be89
                """
        )

        @Argument(help: "The job's checkpoint folder, as spec.checkpoint names it.")
        var folder: String

        @Argument(help: "The beginning of the SHA-256 of its file; see `apus swap history`.")
        var sha256: String

        @OptionGroup var socket: ControlOptions

        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            let client = try ControlPlace.connect(folder: folder, socket: socket.control)
            let released = try ControlPlace.orExit { () throws(ControlError) in
                try client.ask(
                    "swap.release",
                    JobMethods.Release(sha256: sha256),
                    as: JobMethods.Released.self
                )
            }
            let text =
                "job '\(released.job)': \(released.sha256.prefix(12)) may be tried again; it was "
                + "taken back: \(released.reason)"
            try StateTool.print(released, text, json: json)
        }
    }
}
