import ApusGraph
import ArgumentParser
import Foundation

/// What every command takes that reads a job file.
struct JobOptions: ParsableArguments {
    @Argument(help: "The job file (YAML).")
    var file: String

    @Option(
        name: .shortAndLong,
        help: "Subtasks per keyed operator (default: spec.parallelism, else the processors)."
    )
    var parallelism: Int?

    @Option(
        name: .customLong("set"),
        parsing: .singleValue,
        help: ArgumentHelp(
            "Override a value of the job file, as spec.sources.ID.config.path=x; may be repeated.",
            valueName: "key=value"
        )
    )
    var settings: [String] = []

    @Option(
        help: ArgumentHelp(
            "Load only plugins of this list (default: plugins.lock beside the job file, if any).",
            valueName: "file"
        )
    )
    var pluginsLock: String?

    @Flag(help: "Load plugins that are not on the list, too, with a warning; for development.")
    var allowUnlisted = false

    func prepare(_ world: World) -> JobPreparation {
        JobPreparation(
            world: world,
            options: JobPreparation.Options(
                file: file,
                parallelism: parallelism,
                settings: settings,
                pluginsLock: pluginsLock,
                allowsUnlisted: allowUnlisted
            ),
            processorCount: ProcessInfo.processInfo.activeProcessorCount
        )
    }
}

/// `apus job`.
struct JobCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "job",
        abstract: "Check and explain job files; ask and stop running jobs.",
        discussion: """
            EXAMPLE
              apus job explain samples/flights/job.yaml
            """,
        subcommands: [
            Validate.self, Explain.self, Status.self, Stop.self, Rescale.self, Upgrade.self,
        ]
    )

    /// `apus job validate`.
    struct Validate: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Check a job file, its graph and its plugins; run nothing.",
            discussion: """
                Every error names the line, what was found and what was expected.

                EXAMPLE
                  apus job validate samples/flights/job.yaml
                """
        )

        @OptionGroup var options: JobOptions

        @Flag(help: "Print the valid job's plan as JSON.")
        var json = false

        func run() throws {
            let preparation = options.prepare(World())
            let job = try preparation.readJob()
            let plan = try preparation.explain(job)
            if json {
                try Console.print(try Console.json(PlanReport(plan)))
                return
            }
            try Console.print(
                "\(options.file): valid: job '\(job.name)', \(job.sources.count) sources, "
                    + "\(job.operators.count) operators, \(job.sinks.count) sinks, "
                    + "parallelism \(plan.parallelism)"
            )
        }
    }

    /// `apus job explain`.
    struct Explain: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print the physical plan of a job: chains, exchanges, keys, parallelism.",
            discussion: """
                EXAMPLE
                  apus job explain samples/flights/job.yaml
                  apus job explain samples/flights/job.yaml --dot | dot -Tsvg > plan.svg
                """
        )

        @OptionGroup var options: JobOptions

        @Flag(help: "Print the plan for Graphviz.")
        var dot = false

        @Flag(help: "Print the plan as JSON.")
        var json = false

        func validate() throws {
            guard !(dot && json) else { throw ValidationError("--dot or --json, not both") }
        }

        func run() throws {
            let preparation = options.prepare(World())
            let plan = try preparation.explain(try preparation.readJob())
            if json {
                try Console.print(try Console.json(PlanReport(plan)))
                return
            }
            let text = dot ? PlanDOT.render(plan) : PlanText.render(plan)
            try Console.print(text.hasSuffix("\n") ? String(text.dropLast()) : text)
        }
    }
}
