import ApusControl
import ApusGraph
import ApusSwap
import ArgumentParser

extension SwapCommand {
    /// `apus swap run`.
    struct Run: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "run",
            abstract: "Replace an operator of a running job.",
            discussion: """
                With --guard the new version is on probation: what the job emits is held back, and \
                when the version breaks a limit, crashes or is not wanted, the job goes back to \
                the old one as if nothing had been. With --shadow the new version runs in a \
                process of its own before that, on copies of the keys that come, and gets in only \
                when it writes the same. Ends with 0 when the new version stays, with \
                1 when it was taken back, with 2 when the swap was refused.

                EXAMPLE
                  apus swap run state/tickets sla --to libtickets-v2.so --guard 30s \
                    --max-error-rate 1%
                  apus swap run state/tickets sla --to libtickets-v2.so --shadow 10s \
                    --max-differences 5%
                  apus swap run state/orders --file change.yaml
                """
        )

        @OptionGroup var target: Target

        @Option(
            help: ArgumentHelp("Several operators at once, from a YAML file.", valueName: "file")
        )
        var file: String?

        @Option(
            name: .customLong("shadow"),
            help: ArgumentHelp(
                "How long the new version runs beside the old one first, outputs compared.",
                valueName: "time"
            )
        )
        var shadowTime: String?

        @Option(
            help: ArgumentHelp(
                "The most outputs that may differ in the shadow: 5% or 0.05.",
                valueName: "rate"
            )
        )
        var maxDifferences = "0%"

        @Flag(help: "Compare in the shadow, and leave the old version in force.")
        var shadowOnly = false

        @OptionGroup var probation: ProbationOptions

        @Option(
            help: ArgumentHelp(
                "What becomes of a key whose state cannot be migrated.",
                valueName: "hold|dead-letter|roll-back"
            )
        )
        var onBadValue: String?

        @Option(help: ArgumentHelp("How long the cut may take.", valueName: "time"))
        var deadline: String = "10s"

        @Option(
            help: ArgumentHelp(
                "When subtasks switch: each for itself, or all behind one checkpoint barrier.",
                valueName: "boundary|barrier"
            )
        )
        var cut: String?

        @Option(
            help: ArgumentHelp(
                "Refuse a swap whose way back is worse than this.",
                valueName: "rewind|downgrade"
            )
        )
        var minRung: String?

        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            let order = try order()
            let client = try target.connect()
            let status = try ControlPlace.orExit { () throws(ControlError) in
                try client.ask(
                    "swap.run",
                    order,
                    as: SwapStatus.self,
                    progress: { Console.note($0.message) }
                )
            }
            try StateTool.print(status, status.text, json: json)
            if order.isShadowOnly, status.hasShadowPassed { return }
            if status.phase != .committed, status.phase != .probation { throw ExitStatus.failed }
        }

        private func order() throws -> SwapOrder {
            var order: SwapOrder
            if let file {
                order = try ChangeFile.read(file)
            } else {
                order = SwapOrder(changes: [try target.change()])
            }
            if let shadowTime {
                order.shadowMicroseconds = try SwapText.time(shadowTime, "--shadow")
            } else if shadowOnly || maxDifferences != "0%" {
                throw ValidationError(
                    "--shadow-only and --max-differences are about --shadow TIME; give it as well"
                )
            }
            order.maxDifferences = try SwapText.rate(maxDifferences, "--max-differences")
            order.isShadowOnly = shadowOnly
            order.guardMicroseconds = try probation.duration()
            order.limits = try probation.limits()
            order.onBadValue = try SwapText.word(
                onBadValue,
                "--on-bad-value",
                of: ["hold", "dead-letter", "roll-back"]
            )
            order.cut = try SwapText.word(cut, "--cut", of: ["boundary", "barrier"])
            order.leastRung = try SwapText.word(
                minRung,
                "--min-rung",
                of: ["rewind", "downgrade"]
            )
            order.deadlineMicroseconds = try SwapText.time(deadline, "--deadline")
            order.isDetached = probation.detach
            return order
        }
    }
}
