import ApusControl
import ApusIO
import ArgumentParser

extension JobCommand {
    /// Which running job is meant.
    struct RunningJob: ParsableArguments {
        @Argument(
            help: ArgumentHelp("The job's checkpoint folder, as spec.checkpoint names it.")
        )
        var folder: String?

        @OptionGroup var socket: ControlOptions

        func validate() throws {
            guard folder != nil || socket.control != nil else {
                throw ValidationError("expected the job's checkpoint folder, or --control PATH")
            }
        }

        func connect() throws -> ControlClient {
            try ControlPlace.connect(folder: folder, socket: socket.control)
        }
    }

    /// `apus job status`.
    struct Status: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Ask a running job how it is: progress, nodes, event time, checkpoints.",
            discussion: """
                EXAMPLE
                  apus job status state/flights --json
                """
        )

        @OptionGroup var job: RunningJob

        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            let client = try job.connect()
            let status = try ControlPlace.orExit { () throws(ControlError) in
                try client.ask("job.status", ControlNothing(), as: JobStatus.self)
            }
            try StateTool.print(status, status.text, json: json)
        }
    }

    /// `apus job stop`.
    struct Stop: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Stop a running job as Ctrl-C does, and wait for its end.",
            discussion: """
                The sources stop, what is under way is delivered, and a job with checkpoints takes \
                a last one, from which it can go on.

                EXAMPLE
                  apus job stop state/flights
                """
        )

        @OptionGroup var job: RunningJob

        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            let client = try job.connect()
            let (stopped, process) = try ControlPlace.orExit { () throws(ControlError) in
                let status = try client.ask("job.status", ControlNothing(), as: JobStatus.self)
                let stopped = try client.ask(
                    "job.stop",
                    ControlNothing(),
                    as: JobMethods.JobStopped.self,
                    progress: { Console.note($0.message) }
                )
                return (stopped, status.process)
            }
            waitForEnd(of: process)
            let rest = stopped.checkpoint.map { "; it goes on from checkpoint \($0)" } ?? ""
            try StateTool.print(stopped, "job '\(stopped.job)': stopped\(rest)", json: json)
        }

        /// Waits until the process has gone, and has left its folder to the next one.
        private func waitForEnd(of process: Int32) {
            let disk = LinuxDisk()
            // A process that has ended, and that its parent has not asked about, has no `exe`.
            for _ in 0..<Self.endPollCount where disk.exists("/proc/\(process)/exe") {
                LinuxThreads.sleep(milliseconds: Self.endPollMilliseconds)
            }
        }

        private static let endPollMilliseconds = 10
        /// Half a minute: what is left to do when the answer has come takes a moment.
        private static let endPollCount = 3000
    }
}
