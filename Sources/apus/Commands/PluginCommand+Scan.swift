import ApusPluginHost
import ArgumentParser

extension PluginCommand {
    /// `apus plugin scan`.
    struct Scan: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Load a plugin in a child process and print what it did there.",
            discussion: """
                The child has no network, 512 MiB and five seconds. It loads the file, asks for \
                its description, makes an instance of each component with the configuration {} \
                and destroys it again. `apus run` and `apus job validate` do the same before they \
                load a plugin, and remember the verdict beside its private copy.

                EXAMPLE
                  apus plugin scan .build/release/libaircraft.so
                """
        )

        @Argument(help: "The plugin's file (.so).")
        var file: String

        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            let world = World()
            let verdict: ScanVerdict
            do {
                let staged = try world.loader.stage(file)
                verdict = try PluginScan(world: world).verdict(on: staged, anew: true)
            } catch let error as PluginError {
                Console.error(error.description)
                throw ExitStatus.invalid
            }
            try Console.print(json ? try Console.json(verdict) : text(verdict))
        }

        private func text(_ verdict: ScanVerdict) -> String {
            var lines: [String] = []
            if let report = verdict.report { lines.append("\(report.id) \(report.version): fine") }
            let tenths = Int((verdict.loadMilliseconds * 10).rounded())
            lines.append("  loaded in \(tenths / 10).\(tenths % 10) ms")
            if let sandbox = verdict.sandbox {
                let network =
                    switch sandbox.network {
                    case .namespace: "none (a network namespace of its own)"
                    case .filter: "none (sockets are refused by seccomp)"
                    case .open: "not kept away: the system permits neither namespaces nor seccomp"
                    }
                lines.append("  network   \(network)")
            }
            for trial in verdict.trials {
                let rest = trial.message.isEmpty ? "" : ": \(trial.message)"
                lines.append("  create    \(trial.component) \(trial.outcome.rawValue)\(rest)")
            }
            for file in verdict.mapped { lines.append("  brought   \(file)") }
            for line in verdict.log { lines.append("  logged    \(line)") }
            for warning in verdict.warnings { lines.append("warning: \(warning)") }
            return lines.joined(separator: "\n")
        }
    }
}
