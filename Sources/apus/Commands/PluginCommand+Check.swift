import ApusCore
import ApusPluginCheck
import ApusPluginHost
import ArgumentParser
import Foundation
import Synchronization

extension PluginCommand {
    /// `apus plugin check`.
    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Check that a plugin keeps the contract, check by check.",
            discussion: """
                Each check runs in a child process, with generated input from a seed; \
                docs/plugin-check.md has them all. Without real records (--sample) and the \
                configuration that the plugin needs (--config) less is found out.

                EXAMPLES
                  apus plugin check .build/release/libaircraft.so
                  apus plugin check libfraud.so --config '{"limit": 100}' --sample records.jsonl
                  apus plugin check libfraud.so --only 'E48|F6' --trace calls.json
                  apus plugin check libfraud.so --reproduce E48:1234 --in-process
                  apus plugin check --list

                The trace opens in https://ui.perfetto.dev; its last lines are what led to a crash.
                From C, C++ and Rust, run this with --json in your tests; in Swift, the product \
                ApusPluginCheck has the same checks as a library.

                EXIT STATUS
                  0    all checks up to the strictness have passed, or warn
                  1    a check failed, crashed or hung
                  2    the plugin or another input is not valid
                """
        )

        @Argument(help: "The plugin's file (.so).")
        var file: String?

        @Option(help: "Run checks up to this strictness, 1 to 10; 5 is what plugins.lock asks for.")
        var strictness = 5

        @Option(help: "Only checks whose 'ID NAME COMPONENT' has a match of this expression.")
        var only: String?

        @Option(help: "No checks whose 'ID NAME COMPONENT' has a match of this expression.")
        var exclude: String?

        @Option(help: "Only this component.")
        var component: String?

        @Option(
            help: ArgumentHelp(
                "The configuration: JSON, or a file with it; of one component: ID=JSON.",
                valueName: "config"
            )
        )
        var config: [String] = []

        @Option(help: "A file with real records, one per line, from which input is made.")
        var sample: String?

        @Option(help: "A folder with bytes of older versions: STATE/VERSION/*.bin, *.expected.")
        var golden: String?

        @Option(help: "The seed of random input; a new one when it is left out.")
        var seed: UInt64?

        @Option(help: "Run one check again with its seed: CHECK:SEED.")
        var reproduce: String?

        @Option(help: "Run random sequences of calls for so long, such as 10m, and nothing else.")
        var fuzz: String?

        @Option(help: "Write every call across the boundary to this file, for Perfetto.")
        var trace: String?

        @Option(help: "How many checks run at once.")
        var jobs = 2

        @Flag(help: "Print only checks that have not passed.")
        var onlyFailed = false

        @Flag(help: "Print JSON.")
        var json = false

        @Option(help: "Write a report in the form of JUnit to this file.")
        var junit: String?

        @Flag(help: "Run the checks in this process, for a debugger: a crash ends it.")
        var inProcess = false

        @Flag(help: "List all checks, and check nothing.")
        var list = false

        @Flag(help: "With --list: as the tables of docs/plugin-check.md.")
        var markdown = false

        func validate() throws {
            guard list || file != nil else { throw ValidationError("which file? FILE is missing") }
            guard (1...10).contains(strictness) else {
                throw ValidationError("--strictness is \(strictness); expected 1 to 10")
            }
            guard (1...64).contains(jobs) else {
                throw ValidationError("--jobs is \(jobs); expected 1 to 64")
            }
            for (name, text) in [("--only", only), ("--exclude", exclude)] {
                guard let text else { continue }
                do {
                    _ = try Regex(text)
                } catch {
                    throw ValidationError("\(name) '\(text)' is not a regular expression: \(error)")
                }
            }
            if let reproduce { _ = try Self.parse(reproduce: reproduce) }
            if let fuzz { _ = try Self.seconds(fuzz) }
        }

        func run() throws {
            if list { return try printList() }
            let world = World()
            let path = file ?? ""
            var session = CheckSession(
                file: path,
                settings: try settings(world),
                imageDirectory: world.imageDirectory,
                processes: inProcess ? nil : world.processes,
                threads: world.threads
            )
            session.strictness = strictness
            session.jobs = jobs
            session.isWanted = try filter()
            if let trace { try begin(trace, world) }
            var report = CheckReport(
                file: path,
                seed: session.settings.seed,
                strictness: strictness,
                results: []
            )
            let shown = report
            let last = Mutex("")
            let isQuiet = json
            let onlyFailed = onlyFailed
            report.results = session.run(components: components(world, path)) { result in
                if isQuiet || onlyFailed && [.pass, .skip].contains(result.verdict) { return }
                let text = last.withLock { last in
                    defer { last = result.message }
                    return shown.text(of: result, after: last)
                }
                try? Console.print(text)  // The status tells in any case.
            }
            try finish(report, world)
        }

        private func finish(_ report: CheckReport, _ world: World) throws {
            if let junit {
                try world.disk.writeAtomically(Array(report.junit.utf8), to: junit, mode: 0o644)
            }
            if json {
                var printed = report
                if onlyFailed { printed.results.removeAll { [.pass, .skip].contains($0.verdict) } }
                try Console.print(try Console.json(printed))
            } else {
                try Console.print("seed \(report.seed)\n\(report.summary)")
            }
            for component in report.unusedComponents {
                Console.note(
                    "warning: '\(component)' refuses its configuration, so that most checks were "
                        + "skipped; give it what it needs with --config"
                )
            }
            if report.results.isEmpty {
                Console.error("no check was run; see --list, --only, --component, --strictness")
                throw ExitStatus.invalid
            }
            guard report.isGood else { throw ExitStatus.failed }
        }

        private func printList() throws {
            if json { return try Console.print(try Console.json(CheckTable.rows)) }
            try Console.print(markdown ? CheckTable.markdown : CheckTable.text)
        }
    }
}

// MARK: - What the options say

extension PluginCommand.Check {
    fileprivate func settings(_ world: World) throws -> CheckSettings {
        var settings = CheckSettings()
        settings.seed =
            try reproduce.map { try Self.parse(reproduce: $0).seed } ?? seed
            ?? world.entropy.seed() >> 16
        settings.component = component
        settings.sample = sample
        settings.golden = golden
        settings.trace = trace
        settings.fuzzSeconds = try fuzz.map(Self.seconds) ?? 0
        for text in config { try Self.add(text, to: &settings, world) }
        return settings
    }

    private static func add(_ text: String, to settings: inout CheckSettings, _ world: World) throws
    {
        var name = ""
        var value = text
        let prefix = text.prefix { $0.isLetter || $0.isNumber || "-_".contains($0) }
        if !prefix.isEmpty, text.dropFirst(prefix.count).first == "=" {
            name = String(prefix)
            value = String(text.dropFirst(prefix.count + 1))
        }
        if !["{", "[", "\""].contains(value.prefix(1)), world.disk.exists(value) {
            do {
                let bytes = try world.disk.readAll(value, maximumByteCount: 16 << 20)
                value = String(decoding: bytes, as: UTF8.self)
            } catch {
                Console.error("\(error) (--config)")
                throw ExitStatus.invalid
            }
        }
        do {
            let object = try JSONSerialization.jsonObject(
                with: Data(value.utf8),
                options: .fragmentsAllowed
            )
            // As the job file's configuration comes to a plugin: compact.
            let compact = try JSONSerialization.data(
                withJSONObject: object,
                options: [.fragmentsAllowed, .sortedKeys, .withoutEscapingSlashes]
            )
            settings.configurations[name] = String(decoding: compact, as: UTF8.self)
        } catch {
            Console.error("--config '\(value)' is neither JSON nor the name of a file with it")
            throw ExitStatus.invalid
        }
    }

    /// The check and the seed that `--reproduce` names.
    fileprivate static func parse(reproduce text: String) throws -> (check: String, seed: UInt64) {
        let parts = text.split(separator: ":")
        guard parts.count == 2, let seed = UInt64(parts[1]),
            CheckTable.rows.contains(where: { $0.check == parts[0] })
        else {
            throw ValidationError("--reproduce is '\(text)'; expected CHECK:SEED, as in E48:1234")
        }
        return (String(parts[0]), seed)
    }

    fileprivate static func seconds(_ text: String) throws -> Int {
        let units: [Character: Int] = ["s": 1, "m": 60, "h": 3_600]
        guard let unit = text.last.flatMap({ units[$0] }), let number = Int(text.dropLast()),
            number > 0, number <= 100_000
        else { throw ValidationError("--fuzz is '\(text)'; expected 30s, 10m or 2h") }
        return number * unit
    }

    fileprivate func filter() throws -> @Sendable (String) -> Bool {
        if let reproduce {
            let check = try Self.parse(reproduce: reproduce).check
            return { $0.hasPrefix(check + " ") }
        }
        if fuzz != nil { return { $0.hasPrefix("J") } }
        // An expression is made anew for each check, because it cannot be shared.
        let only = only
        let exclude = exclude
        return { text in
            if let only, !Self.matches(text, only) { return false }
            if let exclude, Self.matches(text, exclude) { return false }
            return true
        }
    }

    private static func matches(_ text: String, _ expression: String) -> Bool {
        (try? Regex(expression).firstMatch(in: text)) != nil  // It was made before: it is one.
    }

    /// Begins the file that the children write to.
    fileprivate func begin(_ trace: String, _ world: World) throws {
        do {
            try world.disk.writeAtomically(Array("[\n".utf8), to: trace, mode: 0o644)
        } catch {
            Console.error("\(error) (--trace)")
            throw ExitStatus.invalid
        }
    }

    /// The plugin's components; nil when it cannot be described, which the checks will explain.
    fileprivate func components(
        _ world: World,
        _ path: String
    ) -> [(id: String, kind: ComponentKind)]? {
        guard let report = try? PluginScan(world: world).describe(path) else { return nil }  // B15.
        return report.components.map { ($0.id, ComponentKind(name: $0.kind) ?? .operator) }
    }
}

extension ComponentKind {
    fileprivate init?(name: String) {
        switch name {
        case "source": self = .source
        case "operator": self = .operator
        case "sink": self = .sink
        case "codec": self = .codec
        default: return nil
        }
    }
}

/// `apus plugin-check-one`: the child that runs one check.
///
/// Not for users.
struct CheckOneCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plugin-check-one",
        abstract: "Run one check of a plugin in this process.",
        shouldDisplay: false
    )

    @Argument(help: "What to check, as JSON.")
    var order: String

    func run() throws {
        guard CheckChild.run(orderJSON: order) else { throw ExitStatus.invalid }
    }
}
