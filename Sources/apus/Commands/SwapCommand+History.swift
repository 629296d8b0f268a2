import ApusCheckpoint
import ApusIO
import ApusSwap
import ArgumentParser

extension SwapCommand {
    /// `apus swap history`.
    struct History: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List all swaps of a job, running or not, and what became of them.",
            discussion: """
                Reads the journal in the job's checkpoint folder, and changes nothing.

                EXAMPLE
                  apus swap history state/flights
                  apus swap history state/flights --json | jq '.swaps[-1].outcome'
                """
        )

        @Argument(
            help: ArgumentHelp(
                "The job's checkpoint folder, as spec.checkpoint names it.",
                valueName: "job"
            )
        )
        var folder: String

        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            let opened = try StateTool.orExitFromFolder { () throws(CheckpointError) in
                try CheckpointFolder.openForReading(
                    folder,
                    disk: LinuxDisk(),
                    threads: LinuxThreads(),
                    warn: StateTool.warn
                )
            }
            let history: SwapHistory?
            do throws(SwapJournalError) {
                history = try SwapJournal.read(inFolder: opened.path, disk: LinuxDisk())
            } catch {
                Console.error(error.description)
                throw error.kind == .disk ? ExitStatus.failed : ExitStatus.invalid
            }
            let report = SwapHistoryReport(job: opened.job, history)
            try StateTool.print(report, report.text, json: json)
        }
    }
}
