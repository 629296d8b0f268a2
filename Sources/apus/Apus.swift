import ApusPluginHost
import ArgumentParser
import Glibc

/// The command line.
@main
struct Apus: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apus",
        abstract: "A runtime for stateful event processing with native plugins.",
        discussion: """
            EXAMPLE
              apus run samples/flights/job.yaml --parallelism 2

            EXIT STATUS
              0    the job finished, or was stopped on request; the command did what it says
              1    the job failed while it ran; what it wrote until then is not the whole output
              2    the job file, a plugin or another input is not valid; nothing ran
              3    a plugin ended the process: a callback did not return in time, or it called
                   exit(); a crash ends it by its signal, after a report
              64   the command line is wrong
              130  ended at once by a second Ctrl-C; what was under way is lost, or
                   processed again from the newest checkpoint
            """,
        version: HostTable.version,
        subcommands: [
            RunCommand.self, JobCommand.self, PluginCommand.self, SwapCommand.self,
            NewCommand.self,
            GenerateCommand.self,
            CheckpointCommand.self, SavepointCommand.self, StateCommand.self, TimerCommand.self,
            BenchCommand.self, ScanCommand.self, ScanFunctionCommand.self,
            CheckOneCommand.self, ShadowCommand.self,
        ]
    )

    static func main() {
        Console.reserveStandardFiles()
        main(nil)
        // By the guard's exit: returning from here would run what plugins have registered.
        Glibc.exit(0)
    }
}
