import ApusStateTools
import ArgumentParser

/// `apus timer`.
struct TimerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "timer",
        abstract: "Look at the timers of a checkpoint.",
        discussion: """
            EXAMPLE
              apus timer ls --checkpoint state/tickets --limit 10
            """,
        subcommands: [List.self, Top.self]
    )

    /// Which timers are looked at.
    struct Options: ParsableArguments {
        @OptionGroup var state: LiveStateOptions

        @Option(help: "The operator (default: all).")
        var `operator`: String?

        @Option(help: "event or processing (default: both).")
        var domain: String?

        @Option(help: "The timer's name (default: all).")
        var name: String?

        @Option(help: "How many.")
        var limit = 20

        @Flag(help: "Print JSON.")
        var json = false

        func validate() throws {
            guard [nil, "event", "processing"].contains(domain) else {
                throw ValidationError("--domain \(domain ?? ""): expected event or processing")
            }
            guard (1...100_000).contains(limit) else {
                throw ValidationError("--limit must be 1 to 100000")
            }
        }

        func report() throws -> TimerReport {
            try state.read { (reader) throws(StateToolError) in
                var filter = TimerReport.Filter()
                if let wanted = self.operator {
                    let number = try reader.directory.number(wanted)
                    filter.operatorNumber = number
                    // So that a misspelt name is an error although no timer is armed.
                    if let name { _ = try reader.directory.timer(number, name) }
                }
                filter.domain = domain.map { $0 == "event" ? 0 : 1 }
                filter.name = name
                return try TimerReport(reader, filter, limit: limit)
            }
        }
    }

    /// `apus timer ls`.
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "ls",
            abstract: "List the timers that fire next.",
            discussion: """
                EXAMPLE
                  apus timer ls --checkpoint state/tickets --domain event --limit 10
                """
        )

        @OptionGroup var options: Options

        func run() throws {
            let report = try options.report()
            try StateTool.print(report, report.text, json: options.json)
        }
    }

    /// `apus timer top`.
    struct Top: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Count timers by name, and print the keys that have the most.",
            discussion: """
                EXAMPLE
                  apus timer top --checkpoint state/tickets --operator rules
                """
        )

        @OptionGroup var options: Options

        func run() throws {
            let report = try options.report()
            try StateTool.print(report, report.topText, json: options.json)
        }
    }
}
