import ApusControl
import ArgumentParser

extension JobCommand {
    /// `apus job upgrade`.
    struct Upgrade: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give a running job another job file: other operators, edges, configuration.",
            discussion: """
                The job stops with a checkpoint and goes on from it with the new file, in the same \
                process. When that is not possible, it goes on as it was. With --guard the new \
                graph is on probation: what it emits is held back, and when it breaks a limit, \
                crashes or is not wanted (`apus swap rollback`), the job goes back to the \
                checkpoint and the file before as if nothing had been. Ends with 0 when the new \
                file stays, with 1 when it was taken back, with 2 when it was refused.

                EXAMPLE
                  apus job upgrade state/tickets job-2.yaml --plan
                  apus job upgrade state/tickets job-2.yaml --guard 30s --max-error-rate 1%
                  apus job upgrade state/tickets job-3.yaml --drop-state old-limits
                """
        )

        @Argument(
            help: ArgumentHelp(
                "The job's checkpoint folder, unless --control says where it is; and the new job "
                    + "file.",
                valueName: "folder> <file"
            )
        )
        var arguments: [String]

        @OptionGroup var socket: ControlOptions

        @Flag(help: "Tell what would be done; nothing is touched.")
        var plan = false

        @Option(
            help: ArgumentHelp(
                "Give up the state of an operator, or the position of a source, that the new file "
                    + "has no longer.",
                valueName: "id"
            )
        )
        var dropState: [String] = []

        @OptionGroup var probation: ProbationOptions

        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            let (folder, file) = try JobCommand.split(arguments, socket.control, "a job file")
            var order = UpgradeOrder(file: SwapCommand.absolute(file), droppedState: dropState)
            order.guardMicroseconds = try probation.duration()
            order.limits = try probation.limits()
            order.isDetached = probation.detach
            let client = try ControlPlace.connect(folder: folder, socket: socket.control)
            if plan { return try show(order, client) }
            let status = try ControlPlace.orExit { () throws(ControlError) in
                try client.ask(
                    "job.upgrade",
                    order,
                    as: SwapStatus.self,
                    progress: { Console.note($0.message) }
                )
            }
            try StateTool.print(status, status.text, json: json)
            if status.phase != .committed, status.phase != .probation { throw ExitStatus.failed }
        }

        private func show(_ order: UpgradeOrder, _ client: ControlClient) throws {
            let plan = try ControlPlace.orExit { () throws(ControlError) in
                try client.ask("job.plan", order, as: UpgradePlan.self)
            }
            try StateTool.print(plan, plan.text, json: json)
            if plan.isRefused { throw ExitStatus.invalid }
        }
    }
}
