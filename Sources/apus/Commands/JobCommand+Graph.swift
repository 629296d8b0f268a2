import ApusControl
import ArgumentParser

extension JobCommand {
    /// `apus job rescale`.
    struct Rescale: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give a running job another number of subtasks.",
            discussion: """
                The job stops with a checkpoint and goes on from it in the same process: exactly \
                once, with a short pause.

                EXAMPLE
                  apus job rescale state/tickets 4
                """
        )

        @Argument(
            help: ArgumentHelp(
                "The job's checkpoint folder, unless --control says where it is; and the number of "
                    + "subtasks.",
                valueName: "folder> <n"
            )
        )
        var arguments: [String]

        @OptionGroup var socket: ControlOptions

        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            let (folder, number) = try JobCommand.split(arguments, socket.control, "a number")
            guard let parallelism = Int(number) else {
                throw ValidationError("expected the number of subtasks, found '\(number)'")
            }
            let client = try ControlPlace.connect(folder: folder, socket: socket.control)
            let changed = try ControlPlace.orExit { () throws(ControlError) in
                try client.ask(
                    "job.rescale",
                    JobMethods.Rescale(parallelism: parallelism),
                    as: JobMethods.GraphChanged.self
                )
            }
            let text =
                "job '\(changed.job)': goes on with \(changed.parallelism) subtasks from "
                + "checkpoint \(changed.checkpoint ?? 0), after a pause of "
                + "\(changed.pauseMicroseconds / 1000) ms"
            try StateTool.print(changed, text, json: json)
        }
    }

    /// The folder, which is left out with --control, and what comes behind it.
    static func split(
        _ arguments: [String],
        _ control: String?,
        _ what: String
    ) throws -> (folder: String?, String) {
        guard let last = arguments.last, arguments.count == (control == nil ? 2 : 1) else {
            throw ValidationError(
                "expected \(control == nil ? "the job's checkpoint folder and " : "")\(what)"
            )
        }
        return (control == nil ? arguments[0] : nil, last)
    }
}
