import ApusControl
import ApusPluginHost
import ArgumentParser
import Foundation

extension PluginCommand {
    /// A running job, and something else: `JOB WORD`, or `WORD --control PATH`.
    struct RunningJobAndWord: ParsableArguments {
        @Argument(
            help: ArgumentHelp(
                "The job's checkpoint folder (left out with --control), then what is said below.",
                valueName: "job> <word"
            )
        )
        var words: [String]

        @OptionGroup var socket: ControlOptions

        func validate() throws {
            guard words.count == (socket.control == nil ? 2 : 1) || words.count == 2 else {
                throw ValidationError(
                    "expected the job's checkpoint folder and one more word, or one word and "
                        + "--control PATH; found \(words.count)"
                )
            }
        }

        /// The word that is no folder.
        var word: String { words[words.count - 1] }

        func connect() throws -> ControlClient {
            try ControlPlace.connect(
                folder: words.count == 2 ? words[0] : nil,
                socket: socket.control
            )
        }
    }

    /// `apus plugin load`.
    struct Load: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Load a plugin into the process of a running job.",
            discussion: """
                JOB is the job's checkpoint folder, FILE the plugin. The file goes the way of \
                those that the job began with: checks, the job's plugins.lock, the scan in a child \
                process. No operator uses it yet. The same content is loaded once.

                EXAMPLE
                  apus plugin load state/flights libaircraft-2.so
                  apus plugin load libaircraft-2.so --control /run/flights.sock
                """
        )

        @OptionGroup var job: RunningJobAndWord

        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            // The job's process has another working directory.
            let path = URL(filePath: job.word).standardizedFileURL.path(percentEncoded: false)
            let client = try job.connect()
            let status = try ControlPlace.orExit { () throws(ControlError) in
                try client.ask(
                    "plugin.load",
                    JobMethods.PluginToLoad(file: path),
                    as: PluginStatus.self
                )
            }
            try StateTool.print(status, PluginText.text(status), json: json)
        }
    }

    /// `apus plugin ls`.
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "ls",
            abstract: "List the plugins in the process of a running job.",
            discussion: """
                A plugin is in-use (by operators), loaded (and not used yet), retired (not used \
                any more) or resident (it was to be unloaded and cannot be, with the reason).

                EXAMPLE
                  apus plugin ls state/flights
                """
        )

        @OptionGroup var job: JobCommand.RunningJob

        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            let client = try job.connect()
            let list = try ControlPlace.orExit { () throws(ControlError) in
                try client.ask("plugin.list", ControlNothing(), as: JobMethods.PluginList.self)
            }
            let text = list.plugins.map(PluginText.text).joined(separator: "\n")
            try StateTool.print(list, text, json: json)
        }
    }

    /// `apus plugin unload`.
    struct Unload: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Unload a plugin that no operator of a running job uses.",
            discussion: """
                JOB is the job's checkpoint folder; the plugin is named by its number, its id or \
                the beginning of its hash, as `apus plugin ls` has them. Its code is taken out of \
                the process where that can be done; where not, the reason is said and it stays, \
                which is no error. Status 2 when it is in use.

                EXAMPLE
                  apus plugin unload state/flights 2 --dry-run
                  apus plugin unload state/flights com.example.fraud
                """
        )

        @OptionGroup var job: RunningJobAndWord

        @Flag(help: "Say what would become of it, and do nothing.")
        var dryRun = false

        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            let client = try job.connect()
            let wish = JobMethods.PluginToUnload(plugin: job.word, isTrial: dryRun)
            let result = try ControlPlace.orExit { () throws(ControlError) in
                try client.ask("plugin.unload", wish, as: PluginUnloading.self)
            }
            try StateTool.print(result, PluginText.text(result), json: json)
        }
    }
}
