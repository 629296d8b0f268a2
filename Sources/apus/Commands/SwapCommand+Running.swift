import ApusControl
import ApusGraph
import ApusIO
import ApusSwap
import ArgumentParser
import Foundation

extension SwapCommand {
    /// Which operator of which running job, and the version that is to take over.
    struct Target: ParsableArguments {
        @Argument(
            help: ArgumentHelp("The job's checkpoint folder, as spec.checkpoint names it.")
        )
        var folder: String?

        @Argument(help: "The operator's id.")
        var `operator`: String?

        @Option(
            help: ArgumentHelp("The plugin that is to take over.", valueName: "file")
        )
        var to: String?

        @Option(help: "The component of the plugin, if it has several.")
        var component: String?

        @Option(
            help: ArgumentHelp(
                "The beginning of the SHA-256 of the file that is expected to run.",
                valueName: "hash"
            )
        )
        var expect: String?

        @OptionGroup var socket: ControlOptions

        /// With --control the folder is left out, and the operator comes first.
        private var places: (folder: String?, operator: String?) {
            if socket.control != nil, `operator` == nil { return (nil, folder) }
            return (folder, `operator`)
        }

        func connect() throws -> ControlClient {
            try ControlPlace.connect(folder: places.folder, socket: socket.control)
        }

        func change() throws -> SwapOrder.Change {
            guard let name = places.operator, let to else {
                throw ValidationError(
                    "expected the job's checkpoint folder, an operator, and --to FILE"
                )
            }
            return SwapOrder.Change(
                operator: name,
                file: SwapCommand.absolute(to),
                component: component,
                expected: expect
            )
        }
    }

    /// A path from the root: the job runs elsewhere.
    static func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
    }

    /// A running job.
    struct RunningJob: ParsableArguments {
        @Argument(
            help: ArgumentHelp("The job's checkpoint folder, as spec.checkpoint names it.")
        )
        var folder: String?

        @OptionGroup var socket: ControlOptions

        func connect() throws -> ControlClient {
            try ControlPlace.connect(folder: folder, socket: socket.control)
        }
    }

    /// `apus swap status`.
    struct Status: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Tell how the swap of a running job stands, or how the last one went.",
            discussion: """
                EXAMPLE
                  apus swap status state/tickets --json
                """
        )

        @OptionGroup var job: RunningJob

        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            try SwapCommand.ask("swap.status", job, json: json, mustBeCommitted: false)
        }
    }

    /// `apus swap commit`.
    struct Commit: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "End the probation of a swap: the new version stays.",
            discussion: """
                EXAMPLE
                  apus swap commit state/tickets
                """
        )

        @OptionGroup var job: RunningJob

        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            try SwapCommand.ask("swap.commit", job, json: json, mustBeCommitted: true)
        }
    }

    /// `apus swap rollback`.
    struct Rollback: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "End the probation of a swap: the old version takes over again.",
            discussion: """
                EXAMPLE
                  apus swap rollback state/tickets
                """
        )

        @OptionGroup var job: RunningJob

        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            try SwapCommand.ask("swap.rollback", job, json: json, mustBeCommitted: false)
        }
    }

    private static func ask(
        _ method: String,
        _ job: RunningJob,
        json: Bool,
        mustBeCommitted: Bool
    ) throws {
        let client = try job.connect()
        let status = try ControlPlace.orExit { () throws(ControlError) in
            try client.ask(
                method,
                ControlNothing(),
                as: SwapStatus.self,
                progress: { Console.note($0.message) }
            )
        }
        try StateTool.print(status, status.text, json: json)
        if mustBeCommitted, status.phase != .committed { throw ExitStatus.failed }
    }
}
