import ApusPluginHost
import ArgumentParser
import CApusGuard

/// `apus plugin`.
struct PluginCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plugin",
        abstract: "Look at plugins.",
        discussion: """
            EXAMPLE
              apus plugin describe .build/release/libaircraft.so
              apus plugin check .build/release/libaircraft.so
            """,
        subcommands: [Describe.self, Check.self]
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

/// `apus scan`: the child that loads a plugin and prints its description.
///
/// Not for users.
struct ScanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scan",
        abstract: "Load and describe a plugin in this process.",
        shouldDisplay: false
    )

    @Argument(help: "The plugin's file (.so).")
    var file: String

    func run() throws {
        apus_guard_install_crash_report()
        do {
            try Console.print(try Console.json(PluginReport(try World().loader.load(file))))
        } catch let error as PluginError {
            Console.error(error.description)
            throw ExitStatus.invalid
        }
    }
}
