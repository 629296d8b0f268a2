import ApusControl
import ApusGraph
import ApusPluginHost
import ApusRuntime
import ApusSwap
import ArgumentParser

// What another job file would do; nothing is touched.
extension SwapConductor {
    /// A plan, and what it was made from.
    struct PlannedUpgrade {
        var plan: UpgradePlan
        /// Nil when the file cannot be read.
        var source: JobSource?
        /// Plugins that swaps have brought, and that run in the place of those in the file.
        var choices: [String: JobPreparation.Choice] = [:]
        /// What is to be noted when the job stays so.
        var events: [SwapEntry.Event] = []
    }

    /// Plans an upgrade.
    ///
    /// - Throws: ``ControlError`` when the request itself makes no sense.
    func plan(_ order: UpgradeOrder) throws(ControlError) -> PlannedUpgrade {
        guard order.file.hasPrefix("/") else {
            throw ControlError(
                .badParameters,
                "file: expected a path from the root, found '\(order.file)'"
            )
        }
        try checkIdle()
        let running = session.loaded
        let replanner = JobReplanner(running: running, admission: admission)
        var planned = PlannedUpgrade(
            plan: UpgradePlan(
                job: job,
                from: running.source.file,
                to: SwapIntent.JobFile(sha256: "", path: order.file),
                nodes: [],
                versions: [],
                orphans: [],
                refusals: []
            )
        )
        if !session.run.takesCheckpoints {
            planned.plan.refusals.append(
                "the job takes no checkpoints to go on from; give it a `checkpoint:`"
            )
        }
        // What is wrong with the file is for who asks, not for the job's own standard error.
        let messages = Console.gathering {
            do {
                try add(order, replanner, to: &planned)
            } catch {
                if !(error is ExitCode) { Console.note("\(error)") }
                if planned.plan.refusals.isEmpty { planned.plan.refusals.append("") }
            }
        }
        let text = messages.joined(separator: "\n")
        planned.plan.refusals = planned.plan.refusals.map { $0.isEmpty ? text : $0 }
        return planned
    }

    private func add(
        _ order: UpgradeOrder,
        _ replanner: JobReplanner,
        to planned: inout PlannedUpgrade
    ) throws {
        let source = try replanner.read(order.file)
        planned.source = source
        planned.plan.to = source.file
        let old = replanner.running.source.job
        planned.plan.nodes = JobDifference(from: old, to: source.job).nodes
        planned.plan.settings = Self.settings(old, source.job)
        for id in Self.moved(old, source.job) {
            planned.plan.refusals.append(
                "'\(id)' reads or writes another file than before, and what the checkpoint has of "
                    + "it is about the old one; give the new one another id"
            )
        }
        if session.folderPath != nil {
            (planned.choices, planned.events) =
                try replanner.choices(source, try session.journal().history)
        }
        let next = try source.preparation.explain(
            source.job,
            choices: planned.choices,
            parallelism: session.run.parallelism
        )
        guard next.maxParallelism == session.run.maxParallelism else {
            planned.plan.refusals.append(
                "\(order.file): max-parallelism is \(next.maxParallelism), and the job has "
                    + "\(session.run.maxParallelism); it is fixed for a job's life"
            )
            return
        }
        planned.plan.versions = try versions(source, planned.choices)
        let history = try session.folderPath.map { _ in try session.journal().history }
        for version in planned.plan.versions {
            let mayDrop = history?.lines[version.operator] != nil
            for part in version.change.parts where !Self.isTakenOver(part, mayDrop: mayDrop) {
                planned.plan.refusals.append(
                    "operator '\(version.operator)': \(part.kind.rawValue) '\(part.name)' "
                        + (part.reason
                            ?? "is \(part.verdict.rawValue) in the version that the file names; "
                            + "swap the operator first: `apus swap run`")
                )
            }
        }
        addOrphans(order, to: &planned.plan)
    }

    /// What of the job is not the same and no node.
    private static func settings(
        _ old: JobDescription,
        _ new: JobDescription
    ) -> [UpgradePlan.Setting] {
        let all: [(name: String, isSame: Bool, isTakenOver: Bool)] = [
            ("checkpoint", old.durability.checkpoint == new.durability.checkpoint, true),
            ("state", old.durability.storage == new.durability.storage, true),
            ("memory", old.durability.memoryBudget == new.durability.memoryBudget, true),
            (
                "buffer-timeout",
                old.bufferTimeoutMicroseconds == new.bufferTimeoutMicroseconds, true
            ),
            ("parallelism", old.parallelism == new.parallelism, false),
            ("errors", old.errors == new.errors, false),
            ("plugins", old.callLimits == new.callLimits, false),
            (
                "secrets",
                Set(old.secrets.map(\.name)) == Set(new.secrets.map(\.name)), false
            ),
        ]
        return all.filter { !$0.isSame }.map {
            UpgradePlan.Setting(name: $0.name, isTakenOver: $0.isTakenOver)
        }
    }

    /// Sources and sinks that are about another file than before.
    private static func moved(_ old: JobDescription, _ new: JobDescription) -> [String] {
        func paths(_ job: JobDescription) -> [String: String] {
            var paths: [String: String] = [:]
            for source in job.sources {
                if case .file(let file) = source.kind { paths[source.id] = file.path }
            }
            for sink in job.sinks {
                if case .file(let path, _) = sink.kind { paths[sink.id] = path }
            }
            return paths
        }
        let before = paths(old)
        let moved = paths(new).filter { id, path in before[id].map { $0 != path } ?? false }
        return moved.keys.sorted()
    }

    /// Whether a start from a checkpoint takes a part of an older version over.
    private static func isTakenOver(_ part: ComponentChange.Part, mayDrop: Bool) -> Bool {
        switch part.kind {
        case .port: true
        case .broadcast, .operatorState: part.verdict == .asIs
        // What its version means is between it and its plugin.
        case .snapshot: part.verdict != .new && part.verdict != .dropped
        case .state, .timer:
            part.verdict != .incompatible && (part.verdict != .dropped || mayDrop)
        }
    }

    /// The operators that get another version of their plugin.
    private func versions(
        _ source: JobSource,
        _ choices: [String: JobPreparation.Choice]
    ) throws -> [UpgradePlan.Version] {
        let search = PluginSearch(world: world, jobFile: source.preparation.options.file)
        var found: [UpgradePlan.Version] = []
        for node in source.job.operators where node.function == nil {
            guard let running = session.run.implementation(of: node.id),
                let shape = session.run.shape(of: node.id)
            else { continue }
            let choice = choices[node.id]
            let path = try choice?.path ?? search.find(node.plugin)
            let report = try admission.describe(path)
            let component = try report.component(
                choice?.component ?? node.component,
                .operator,
                file: path
            )
            let next = PluginVersion(
                sha256: report.contentHash,
                file: path,
                plugin: report.id,
                version: report.version,
                component: component.id
            )
            guard !next.isSame(as: running.version) else { continue }
            found.append(
                UpgradePlan.Version(
                    operator: node.id,
                    from: running.version,
                    to: next,
                    change: ComponentChange(from: shape, to: ComponentShape(component))
                )
            )
        }
        return found
    }

    /// How long the operators have to say how many keys they have, in nanoseconds.
    private static let measureNanoseconds: Int64 = 1_000_000_000

    private func addOrphans(_ order: UpgradeOrder, to plan: inout UpgradePlan) {
        let removed = plan.nodes.filter { $0.fate == .removed && $0.kind != .sink }
        let sizes =
            removed.contains { $0.kind == .operator }
            ? session.run.measureState().wait(nanoseconds: Self.measureNanoseconds) : nil
        for node in removed {
            if node.kind == .operator, session.run.shape(of: node.id)?.hasState != true { continue }
            let orphan = UpgradePlan.Orphan(
                id: node.id,
                kind: node.kind,
                keys: sizes?.first { $0.id == node.id }?.keyCount,
                isDropped: order.droppedState.contains(node.id)
            )
            plan.orphans.append(orphan)
            guard !orphan.isDropped else { continue }
            plan.refusals.append(
                "\(node.kind.rawValue) '\(node.id)' is not in the new file, and the job has "
                    + "something of it\(UpgradePlan.extent(orphan)); give it back its id, or give "
                    + "that up: --drop-state \(node.id)"
            )
        }
        for id in order.droppedState where !plan.orphans.contains(where: { $0.id == id }) {
            plan.refusals.append(
                "--drop-state \(id): expected a source, or an operator with state, that the new "
                    + "file has no longer"
            )
        }
    }
}
