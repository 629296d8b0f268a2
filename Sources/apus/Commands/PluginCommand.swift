import ApusPluginHost
import ArgumentParser

/// `apus plugin`.
struct PluginCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plugin",
        abstract: "Inspect, describe, load and unload plugins.",
        discussion: """
            EXAMPLE
              apus plugin describe .build/release/libaircraft.so
              apus plugin check .build/release/libaircraft.so
            """,
        subcommands: [
            Check.self, Describe.self, Inspect.self, Scan.self, Lock.self, Keygen.self, Load.self,
            List.self, Unload.self,
        ]
    )

    /// `apus plugin describe`.
    struct Describe: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print what a plugin says of itself: operators, outputs, state, timers.",
            discussion: """
                The file is loaded in a child process; whatever it does there, this one goes on.

                EXAMPLE
                  apus plugin describe .build/release/libaircraft.so
                """
        )

        @Argument(help: "The plugin's file (.so).")
        var file: String

        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            let report: PluginReport
            do {
                report = try PluginScan(world: World()).describe(file)
            } catch let error as PluginError {
                Console.error(error.description)
                throw ExitStatus.invalid
            }
            try Console.print(json ? try Console.json(report) : report.text)
        }
    }
}
