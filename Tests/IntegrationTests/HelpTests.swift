import Foundation
import Testing

/// The program and its documentation agree on which commands there are.
@Suite("Integration: help")
struct HelpTests {
    private let workspace: Workspace

    init() throws {
        workspace = try Workspace()
    }

    /// All commands, groups included, as the help of the program lists them.
    private func commands(under parents: [String] = []) throws -> [[String]] {
        let help = try workspace.start(parents + ["--help"]).finish()
        help.expect(status: 0)
        let parts = help.output.components(separatedBy: "SUBCOMMANDS:\n")
        guard parts.count == 2 else { return [parents] }
        // Two blanks and a word start an entry; continuation lines have more blanks.
        let names = parts[1].lineList.compactMap { $0.firstMatch(of: /^  ([a-z]+)(?: |$)/)?.1 }
        let below = try names.flatMap { try commands(under: parents + [String($0)]) }
        return [parents] + below
    }

    @Test("every command has an example and says what it is for")
    func examples() throws {
        let all = try commands()
        #expect(all.count >= 12)
        for command in all {
            let help = try workspace.start(command + ["--help"]).finish()
            help.expect(status: 0)
            let name = (["apus"] + command).joined(separator: " ")
            #expect(help.output.contains("OVERVIEW: "), "\(help)")
            #expect(help.output.contains("EXAMPLE"), "no example in the help of `\(name)`")
            #expect(help.output.contains("\(name) "), "\(help)")
            let same = try workspace.start(["help"] + command).finish()
            #expect(same.output.hasPrefix(help.output.prefix(40)), "\(same)")
        }
    }

    /// The commands in the table of docs/cli.md, alternatives each on their own, and the options
    /// that the table gives them.
    private func documented() throws -> [(command: [String], options: [String])] {
        let text = try String(contentsOfFile: Program.file("docs/cli.md"), encoding: .utf8)
        let entries = text.lineList.compactMap { $0.firstMatch(of: /^\| `apus ([^`]*)` \|/)?.1 }
        return entries.flatMap { entry in
            var commands: [[String]] = [[]]
            for word in entry.split(separator: " ") {
                let names = word.split { $0 == "|" || $0 == "\\" }
                guard names.allSatisfy({ $0.wholeMatch(of: /[a-z]+/) != nil }) else { break }
                commands = commands.flatMap { command in names.map { command + [String($0)] } }
            }
            let options = entry.matches(of: /--[a-z]+/).map { String($0.output) }
            return commands.map { ($0, options) }
        }
    }

    @Test("every command of docs/cli.md exists, with its options")
    func documentedCommands() throws {
        let documented = try documented()
        #expect(documented.count >= 8)
        for (command, options) in documented {
            let help = try workspace.start(command + ["--help"]).finish()
            let name = command.joined(separator: " ")
            #expect(help.output.contains("USAGE: apus \(name) "), "no `apus \(name)`: \(help)")
            for option in options {
                #expect(help.output.contains(option), "`apus \(name)` has no \(option)")
            }
        }
    }

    @Test("every command that exists is in docs/cli.md")
    func undocumentedCommands() throws {
        let documented = try documented().map(\.command)
        let all = try commands()
        for command in all
        where !all.contains(where: { $0.count > command.count && $0.starts(with: command) }) {
            #expect(documented.contains(command), "`apus \(command.joined(separator: " "))`")
        }
    }

    @Test("every option of `apus run` that docs/cli.md explains exists")
    func documentedOptions() throws {
        let text = try String(contentsOfFile: Program.file("docs/cli.md"), encoding: .utf8)
        let help = try workspace.apus("run", "--help").output
        let options = text.lineList.compactMap { $0.firstMatch(of: /^- `(--[a-z]+)/)?.1 }
        #expect(options.count >= 3)
        for option in options { #expect(help.contains(option), "no \(option)") }
        #expect(help.contains("-p, --parallelism"))
    }

    @Test("the exit statuses of docs/cli.md are those of `apus --help`")
    func exitStatuses() throws {
        let text = try String(contentsOfFile: Program.file("docs/cli.md"), encoding: .utf8)
        let help = try workspace.apus("--help").output
        let rows = text.lineList.compactMap { $0.firstMatch(of: /^\| (\d+) \| (.*) \|$/) }
        #expect(rows.count == 6)
        let words = help.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        for row in rows { #expect(words.contains("\(row.1) \(row.2)"), "\(row.0)") }
    }

    @Test("--version is a version")
    func version() throws {
        let run = try workspace.apus("--version")
        run.expect(status: 0)
        #expect(run.output.contains(/^\d+\.\d+(\.\d+)?\n$/), "\(run)")
    }
}
