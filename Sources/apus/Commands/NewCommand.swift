import ArgumentParser
import Foundation

/// `apus new`.
struct NewCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new",
        abstract: "Begin something new.",
        discussion: """
            EXAMPLE
              apus new operator count-visits --lang rust
            """,
        subcommands: [NewOperatorCommand.self]
    )
}

extension OperatorProject.Language: ExpressibleByArgument {}

/// `apus new operator`.
struct NewOperatorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "operator",
        abstract: "Write a project for an operator: code, a test, a job and its input.",
        discussion: """
            The project builds, tests and runs as it is: `make`, `make test`, `make run`. It \
            refers to the SDK where that is now, and copies nothing of it: the folder 'sdk' of \
            the clone of Apus that this program was built in, or what --sdk or APUS_SDK says. \
            Nothing is overwritten.

            EXAMPLE
              apus new operator count-visits --lang rust
              cd count-visits && make test run
            """
    )

    @Argument(help: "The operator's name: a-z, 0-9, and '-' between them.")
    var name: String

    @Option(help: "The language: c, cpp, rust or swift.")
    var lang: OperatorProject.Language

    @Option(help: "The project's folder, new or empty. Default: the name.")
    var directory: String?

    @Option(help: "The folder 'sdk' of a clone of Apus.")
    var sdk: String?

    @Flag(help: "Print the folder and the files as JSON.")
    var json = false

    /// What `--json` prints.
    private struct Report: Codable {
        let name: String
        let language: String
        let sdk: String
        let folder: String
        let files: [String]
    }

    func run() throws {
        do {
            let project = try OperatorProject(
                name: name,
                language: lang,
                sdk: SDKSearch(environment: World().environment).find(sdk),
                folder: directory ?? name
            )
            let files = try project.write()
            let report = Report(
                name: name,
                language: lang.rawValue,
                sdk: project.sdk,
                folder: project.folder,
                files: files
            )
            try Console.print(json ? try Console.json(report) : text(report))
        } catch let problem as OperatorProject.Problem {
            Console.error(problem.description)
            throw ExitStatus.invalid
        }
    }

    private func text(_ report: Report) -> String {
        let files = report.files.map { "  \($0)" }.joined(separator: "\n")
        return """
            \(report.folder): an operator in \(report.language), with the SDK in \(report.sdk)
            \(files)
            next: cd \(report.folder) && make test run
            """
    }
}
