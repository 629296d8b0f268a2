import ApusPluginHost
import ArgumentParser

extension PluginCommand {
    /// `apus plugin inspect`.
    struct Inspect: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Print what a plugin's file tells without running, and what is wrong with it.",
            discussion: """
                No code of the file runs, not even its constructors. Ends with status 2 when the \
                file would be refused; the checks are in docs/loader.md.

                EXAMPLE
                  apus plugin inspect .build/release/libaircraft.so
                  apus plugin inspect libfraud.so --strict --json
                """
        )

        @Argument(help: "The plugin's file (.so).")
        var file: String

        @Flag(help: "Refuse the file for its warnings, too.")
        var strict = false

        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            let report: Inspection
            do {
                report = Inspection(try World().loader.inspect(file), strictly: strict)
            } catch {
                Console.error(error.description)
                throw ExitStatus.invalid
            }
            try Console.print(json ? try Console.json(report) : report.text)
            if report.verdict == .refused { throw ExitStatus.invalid }
        }
    }
}
