import ApusGraph
import ApusPluginHost
import ApusRuntime
import ApusSwap

/// Plans a job of this process anew: with another number of subtasks, or another job file.
struct JobReplanner: Sendable {
    /// What the job runs.
    let running: JobPreparation.Loaded
    let admission: PluginAdmission

    /// The same job with another number of subtasks; its operators keep the versions that run.
    ///
    /// - Throws: The status of a start that fails, after it has said what is wrong.
    func rescaled(to parallelism: Int) throws -> JobRelaunch {
        let source = running.source
        let choices = running.implementations.compactMapValues { implementation in
            JobPreparation.Choice(
                path: implementation.plugin.imagePath,
                component: implementation.description.id
            )
        }
        let loaded = try source.preparation.load(
            source,
            admission,
            choices: choices.filter { choice in
                source.job.operators.contains { $0.id == choice.key }
            },
            parallelism: parallelism
        )
        try checkPositions(loaded.plan)
        return JobRelaunch(ending: .stop, loaded: loaded)
    }

    /// Refuses another number of subtasks for a source whose positions cannot be dealt out anew;
    /// before the job is stopped.
    private func checkPositions(_ next: PhysicalPlan) throws {
        for node in next.nodes {
            guard case .source(let source) = node.role,
                let before = running.plan.nodes.first(where: { $0.id == node.id }),
                before.subtaskCount != node.subtaskCount
            else { continue }
            // Splits are dealt out at any parallelism.
            if case .plugin = source.kind { continue }
            throw UpgradeError(
                "source '\(node.id)' has \(before.subtaskCount) subtasks, would have "
                    + "\(node.subtaskCount), and its positions cannot be dealt out anew; such a "
                    + "job keeps its parallelism"
            )
        }
    }

    /// Reads another job file for the same job.
    ///
    /// - Throws: ``UpgradeError`` when it is of another job, or the status of a start that fails,
    ///   after it has said what is wrong.
    func read(_ file: String) throws -> JobSource {
        let source = try running.source.preparation.of(file).read()
        let old = running.source.job
        guard source.job.name == old.name else {
            throw UpgradeError(
                "\(file): expected the job '\(old.name)', found '\(source.job.name)'"
            )
        }
        let (before, after) = (old.durability.checkpoint, source.job.durability.checkpoint)
        guard before?.directory == after?.directory else {
            throw UpgradeError(
                "\(file): expected the job's checkpoint folder, \(before?.directory ?? "none"), "
                    + "found \(after?.directory ?? "none")"
            )
        }
        return source
    }

    /// What the job's swaps mean for a job file: the plugins to run in the place of those that it
    /// names, and what is to be noted when the job stays with it.
    ///
    /// The same as at a start with that file.
    ///
    /// - Throws: ``SwapJournalError`` when a version that is needed is not in the store.
    func choices(
        _ source: JobSource,
        _ history: SwapHistory
    ) throws -> (choices: [String: JobPreparation.Choice], events: [SwapEntry.Event]) {
        guard let folder = source.job.durability.checkpoint?.directory else { return ([:], []) }
        let recovery = try SwapRecovery(
            SwapRecovery.Situation(
                history: history,
                jobFile: source.preparation.namedPlugins(of: source.job),
                origin: .newest,
                checkpoint: nil
            )
        )
        let store = SwapStore(inFolder: folder, disk: source.preparation.world.disk)
        var choices: [String: JobPreparation.Choice] = [:]
        for (id, version) in recovery.versions {
            choices[id] = JobPreparation.Choice(
                path: try store.verifiedPath(of: version.sha256),
                component: version.component
            )
        }
        return (choices, recovery.events)
    }
}

/// Why a job file cannot take over.
struct UpgradeError: Error, CustomStringConvertible {
    /// What was expected, what was found.
    let description: String

    init(_ description: String) { self.description = description }
}
