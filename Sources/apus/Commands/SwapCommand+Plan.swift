import ApusControl
import ApusPluginHost
import ApusSwap
import ArgumentParser

extension SwapCommand {
    /// `apus swap plan`.
    struct Plan: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Tell what a swap would do; nothing is touched.",
            discussion: """
                Tells what becomes of each state and timer, how the subtasks change over, and \
                which way back there is. Files are described in child processes. With --from, \
                two files are compared, and no job is needed. Ends with 2 when the swap would be \
                refused.

                EXAMPLE
                  apus swap plan state/tickets sla --to libtickets-v2.so
                  apus swap plan --from libtickets-v1.so --to libtickets-v2.so
                """
        )

        @OptionGroup var target: Target

        @Option(
            help: ArgumentHelp(
                "Compare with this file, instead of with what a job runs.",
                valueName: "file"
            )
        )
        var from: String?

        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            let plans = try from.map(compare) ?? ask()
            let text = plans.plans.map(\.text).joined(separator: "\n\n")
            try StateTool.print(plans, text, json: json)
            if plans.plans.contains(where: \.isRefused) { throw ExitStatus.invalid }
        }

        /// What a running job says of it.
        private func ask() throws -> JobMethods.SwapPlans {
            let order = SwapOrder(changes: [try target.change()])
            let client = try target.connect()
            return try ControlPlace.orExit { () throws(ControlError) in
                try client.ask("swap.plan", order, as: JobMethods.SwapPlans.self)
            }
        }

        /// Compares two files, which are loaded in child processes alone.
        private func compare(_ old: String) throws -> JobMethods.SwapPlans {
            guard target.folder == nil, target.operator == nil, target.socket.control == nil else {
                throw ValidationError(
                    "--from FILE compares two files: leave out the job and the operator, or --from"
                )
            }
            guard let new = target.to else {
                throw ValidationError("--from FILE: expected --to FILE as well")
            }
            do {
                return JobMethods.SwapPlans(job: nil, plans: [try plan(from: old, to: new)])
            } catch let error as PluginError {
                Console.error(error.description)
                throw ExitStatus.invalid
            }
        }

        private func plan(from old: String, to new: String) throws -> SwapPlan {
            let scan = PluginScan(world: World())
            let before = try scan.describe(old)
            if let expected = target.expect, !before.contentHash.hasPrefix(expected) {
                throw PluginError(
                    .notLoadable,
                    old,
                    "expected a file whose SHA-256 begins with \(expected), found "
                        + before.contentHash
                )
            }
            let after = try scan.describe(new)
            let running = try before.component(target.component, .operator, file: old)
            // The component of the same name goes on; a plugin with one operator has no choice.
            let isKept = after.components.contains {
                $0.kind == "operator" && $0.id == running.id
            }
            let next = try after.component(
                target.component ?? (isKept ? running.id : nil),
                .operator,
                file: new
            )
            return SwapPlan(
                operator: running.id,
                from: before.pluginVersion(of: running, file: old),
                to: after.pluginVersion(of: next, file: new),
                change: ComponentChange(
                    from: ComponentShape(running),
                    to: ComponentShape(next)
                ),
                facts: nil,
                calls: SwapPlan.Calls(
                    before: running.asynchronous ?? false,
                    after: next.asynchronous ?? false
                )
            )
        }
    }
}

extension PluginReport {
    /// A component of the file, as swaps tell versions apart.
    fileprivate func pluginVersion(of component: Component, file: String) -> PluginVersion {
        PluginVersion(
            sha256: contentHash,
            file: file,
            plugin: id,
            version: version,
            component: component.id
        )
    }
}
