import ApusCheckpoint
import ApusIO
import ApusStateTools
import ArgumentParser

extension StateCommand {
    /// `apus state growth`.
    struct Growth: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Tell how keys and timers grow from one checkpoint to another.",
            discussion: """
                The counters of two checkpoints are compared, the oldest complete one of the \
                folder and the newest, or those that are named: no state is read, so it costs \
                nothing, while the job runs as well. State that grows with time, and not with the \
                number of live things, is a leak: docs/operations.md.

                Keep a savepoint now and then (`apus savepoint create`, or Ctrl-C): those in the \
                folder are never removed, and the longer the time between the two, the more the \
                rate says.

                EXAMPLE
                  apus state growth --checkpoint state/flights
                  apus state growth --checkpoint state/flights --from 12 --json
                """
        )

        @Option(
            help: ArgumentHelp(
                "The checkpoint folder, as spec.checkpoint names it.",
                valueName: "folder"
            )
        )
        var checkpoint: String

        @Option(help: "The number of the earlier checkpoint (default: the oldest).")
        var from: UInt64?

        @Option(help: "The number of the later checkpoint (default: the newest).")
        var to: UInt64?

        @Flag(help: "Print JSON.")
        var json = false

        func validate() throws {
            if let from, let to, from >= to {
                throw ValidationError(
                    "--from \(from) --to \(to): expected an earlier checkpoint first"
                )
            }
        }

        func run() throws {
            let growth = try StateTool.orExitFromFolder { () throws(CheckpointError) in
                let folder = try CheckpointFolder.openForReading(
                    checkpoint,
                    disk: LinuxDisk(),
                    threads: LinuxThreads(),
                    warn: StateTool.warn
                )
                let usable = try folder.list().filter { $0.isComplete && !$0.isAbandoned }
                let numbers = usable.map(\.number)
                // Of number 0 the folder says that there is none, and what it has looked for.
                let later = try folder.manifest(to ?? numbers.last ?? 0)
                let earlier = numbers.first { $0 < later.number }
                return StateGrowth(
                    from: try folder.manifest(from ?? earlier ?? later.number),
                    to: later
                )
            }
            if growth.from.checkpoint >= growth.to.checkpoint {
                StateTool.warn(
                    "there is no checkpoint before \(growth.to.checkpoint) to compare it with; "
                        + "wait for the next one"
                )
            }
            try StateTool.print(growth, growth.text, json: json)
        }
    }
}
