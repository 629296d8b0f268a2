import ApusCore
import ApusGenerators
import ArgumentParser
import Foundation

/// `apus gen`.
struct GenerateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gen",
        abstract: "Write data for samples and tests; the same for the same seed.",
        discussion: """
            EXAMPLE
              apus gen keyed --count 1000 --keys 10 --seed 1 > keyed.jsonl
            """,
        subcommands: [Tickets.self, Impulse.self, Keyed.self]
    )

    /// `apus gen tickets`.
    struct Tickets: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Events of a support desk, and the actions that its automations must take.",
            discussion: """
                The expected actions are computed by a separate program part that shares no code \
                with the plugin: compare them with what the job wrote, both sorted.

                EXAMPLE
                  apus gen tickets --seed 1 --tickets 1000 --events e.jsonl --expected a.jsonl
                """
        )

        @Option(help: "The seed.")
        var seed: UInt64 = 1
        @Option(help: "How many tickets.")
        var tickets = 1_000
        @Option(help: "Where the events go.")
        var events = "events.jsonl"
        @Option(help: "Where the expected actions go.")
        var expected = "expected.jsonl"

        func validate() throws {
            guard tickets >= 1 else { throw ValidationError("--tickets must be 1 or more") }
        }

        func run() throws {
            let eventFile = try LineFile(events)
            let expectedFile = try LineFile(expected)
            let summary = try TicketGenerator(seed: seed, ticketCount: tickets).generate(
                event: eventFile.write,
                expected: expectedFile.write
            )
            try eventFile.close()
            try expectedFile.close()
            Console.note(
                "\(summary.ticketCount) tickets: \(summary.lineCount) lines in \(events), "
                    + "\(summary.malformedCount) of them malformed on purpose; "
                    + "\(summary.actionCount) actions expected in \(expected)"
            )
        }
    }

    /// `apus gen impulse`.
    struct Impulse: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Numbered records.",
            discussion: """
                EXAMPLE
                  apus gen impulse --count 1000 > impulse.jsonl
                """
        )

        @Option(help: "How many records.")
        var count = 1_000
        @Option(help: "Records per second of event time.")
        var rate = 1_000

        func validate() throws {
            guard count >= 0, (1...1_000_000).contains(rate) else {
                throw ValidationError("--count must be 0 or more, --rate 1 to 1000000")
            }
        }

        func run() throws {
            let file = try LineFile(nil)
            try ImpulseGenerator(count: count, recordsPerSecond: rate).generate(event: file.write)
            try file.close()
        }
    }

    /// `apus gen keyed`.
    struct Keyed: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Numbered records with keys.",
            discussion: """
                EXAMPLE
                  apus gen keyed --count 1000 --keys 10 --seed 1 > keyed.jsonl
                """
        )

        @Option(help: "The seed.")
        var seed: UInt64 = 1
        @Option(help: "How many records.")
        var count = 1_000
        @Option(help: "How many keys.")
        var keys = 100
        @Option(help: "Records per second of event time.")
        var rate = 1_000

        func validate() throws {
            guard count >= 0, keys >= 1, (1...1_000_000).contains(rate) else {
                throw ValidationError(
                    "--count must be 0 or more, --keys 1 or more, --rate 1 to 1000000"
                )
            }
        }

        func run() throws {
            let file = try LineFile(nil)
            try KeyedGenerator(
                seed: seed,
                count: count,
                keyCount: keys,
                recordsPerSecond: rate
            ).generate(event: file.write)
            try file.close()
        }
    }
}
