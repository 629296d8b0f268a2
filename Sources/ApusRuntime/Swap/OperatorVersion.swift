import ApusCheckpoint
import ApusGraph
import ApusPluginHost
import Synchronization

/// A version of an operator that a running job has, or had.
struct OperatorVersion: Sendable {
    /// Counts the versions of the operator in this run, from 0.
    let sequence: Int
    /// What a manifest says of it, without subtasks; its `number` is that of its rows.
    let template: OperatorState
    /// Its plugin and component; nil for one that only rows are left of.
    let implementation: JobEnvironment.Implementation?

    /// Describes a version.
    init(
        sequence: Int,
        number: UInt16,
        of operator: OperatorDescription,
        _ implementation: JobEnvironment.Implementation
    ) {
        self.sequence = sequence
        self.implementation = implementation
        let description = implementation.description
        template = OperatorState(
            id: `operator`.id,
            number: number,
            plugin: PluginReference(
                component: description.id,
                fileName: implementation.plugin.file,
                contentHash: implementation.plugin.contentHash
            ),
            states: description.states.map { state in
                var declaration = state.declaration
                let expiry = `operator`.expiry(ofState: declaration.name)
                declaration.timeToLiveMicroseconds = expiry?.ttlMicroseconds
                return declaration
            },
            timers: description.timers.map(\.declaration)
        )
    }

    /// Describes a version that only rows are left of, as a checkpoint has them.
    init(restored state: OperatorState) {
        sequence = -1
        implementation = nil
        template = state
    }
}

/// The versions of all operators of a job at work.
final class OperatorVersions: Sendable {
    private struct Content {
        var versions: [String: [OperatorVersion]] = [:]
        /// The sequence of the one that is in force, or comes into force, where it is not the last.
        var current: [String: Int] = [:]
        var origins: [UInt16: OperatorVersion] = [:]
        var nextNumber: UInt16 = 1

        func current(_ id: String) -> OperatorVersion? {
            guard let sequence = current[id] else { return versions[id]?.last }
            return versions[id]?.first { $0.sequence == sequence }
        }
    }

    private let content: Mutex<Content> = Mutex(Content())

    /// Begins with the versions of the job file.
    ///
    /// - Parameters:
    ///   - plan: The job.
    ///   - implementations: By operator.
    ///   - restore: Gives numbers, and what earlier versions have left.
    init(
        _ plan: PhysicalPlan,
        _ implementations: [String: JobEnvironment.Implementation],
        _ restore: RestorePlan
    ) {
        var begin = Content()
        for node in plan.nodes {
            guard case .operator(let description, _) = node.role,
                let implementation = implementations[node.id],
                let number = restore.operatorNumbers[node.id]
            else { continue }
            begin.versions[node.id] = [
                OperatorVersion(sequence: 0, number: number, of: description, implementation)
            ]
            for origin in restore.origins(node.id) {
                begin.origins[origin.number] = OperatorVersion(restored: origin)
            }
        }
        begin.nextNumber = (restore.highestNumber) + 1
        content.withLock { $0 = begin }
    }

    /// The version of an operator that is in force, or comes into force; nil when it is none, or a
    /// C function.
    func current(_ id: String) -> OperatorVersion? { content.withLock { $0.current(id) } }

    /// Notes that an operator has gone back to a version.
    func goBack(_ id: String, to sequence: Int) {
        content.withLock { $0.current[id] = sequence }
    }

    /// A version of an operator.
    func version(_ id: String, _ sequence: Int) -> OperatorVersion? {
        content.withLock { content in content.versions[id]?.first { $0.sequence == sequence } }
    }

    /// What a manifest says of rows that are filed under a number.
    func template(_ id: String, ofRows number: UInt16) -> OperatorState? {
        content.withLock { content in
            let own = content.versions[id]?.last { $0.template.number == number }
            return own?.template ?? content.origins[number]?.template
        }
    }

    /// What manifests say of the rows of all versions of an operator.
    func templates(_ id: String) -> [OperatorState] {
        content.withLock { content in
            (content.versions[id] ?? []).map(\.template)
                + content.origins.values.map(\.template).filter { $0.id == id }
        }
    }

    /// Adds a version.
    ///
    /// - Parameters:
    ///   - operator: The operator.
    ///   - implementation: Its plugin and component.
    ///   - keepsRows: Whether it uses the rows of the newest version on.
    /// - Returns: The version; nil when no number is left.
    func add(
        _ operator: OperatorDescription,
        _ implementation: JobEnvironment.Implementation,
        keepsRows: Bool
    ) -> OperatorVersion? {
        content.withLock { content in
            guard let last = content.versions[`operator`.id]?.last,
                let running = content.current(`operator`.id)
            else { return nil }
            var number = running.template.number
            if !keepsRows {
                guard content.nextNumber < .max else { return nil }
                number = content.nextNumber
                content.nextNumber += 1
            }
            let version = OperatorVersion(
                sequence: last.sequence + 1,
                number: number,
                of: `operator`,
                implementation
            )
            content.versions[`operator`.id]?.append(version)
            content.current[`operator`.id] = nil
            return version
        }
    }
}
