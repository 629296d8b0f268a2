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

    /// Describes one of those that ``OperatorVersions`` keeps.
    fileprivate init(
        sequence: Int,
        template: OperatorState,
        _ implementation: JobEnvironment.Implementation?
    ) {
        self.sequence = sequence
        self.template = template
        self.implementation = implementation
    }

    /// Describes a version that only rows are left of, as a checkpoint has them.
    init(restored state: OperatorState) {
        sequence = -1
        implementation = nil
        template = state
    }
}

/// The versions of all operators of a job at work.
///
/// Of each distinct version it keeps what manifests say of it, as long as the job runs; of each
/// swap four bytes.
final class OperatorVersions: Sendable {
    /// The versions of one operator.
    private struct Versions {
        /// Those that differ; plugins only of the last two that ran.
        var kinds: [(template: OperatorState, implementation: JobEnvironment.Implementation?)] = []
        /// Which of them each one is, by sequence.
        var kindNumbers: [UInt32] = []

        func version(_ sequence: Int) -> OperatorVersion? {
            guard kindNumbers.indices.contains(sequence) else { return nil }
            let kind = kinds[Int(kindNumbers[sequence])]
            return OperatorVersion(sequence: sequence, template: kind.template, kind.implementation)
        }

        func last(ofRows number: UInt16) -> OperatorState? {
            kindNumbers.last { kinds[Int($0)].template.number == number }
                .map { kinds[Int($0)].template }
        }

        mutating func add(_ version: OperatorVersion) {
            let found = kinds.firstIndex { kind in
                kind.template.number == version.template.number
                    && kind.template.plugin == version.template.plugin
            }
            let index = found ?? kinds.count
            if found == nil { kinds.append((version.template, nil)) }
            kinds[index].implementation = version.implementation
            kindNumbers.append(UInt32(index))
        }

        /// Lets the plugins of all but one version go.
        mutating func forgetImplementations(but sequence: Int) {
            for index in kinds.indices where index != Int(kindNumbers[sequence]) {
                kinds[index].implementation = nil
            }
        }
    }

    private struct Content {
        var versions: [String: Versions] = [:]
        /// The sequence of the one that is in force, or comes into force, where it is not the last.
        var current: [String: Int] = [:]
        var origins: [UInt16: OperatorVersion] = [:]
        var nextNumber: UInt16 = 1

        func current(_ id: String) -> OperatorVersion? {
            guard let versions = versions[id] else { return nil }
            return versions.version(current[id] ?? versions.kindNumbers.count - 1)
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
            begin.versions[node.id, default: Versions()].add(
                OperatorVersion(sequence: 0, number: number, of: description, implementation)
            )
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
        content.withLock { $0.versions[id]?.version(sequence) }
    }

    /// What a manifest says of rows that are filed under a number.
    func template(_ id: String, ofRows number: UInt16) -> OperatorState? {
        content.withLock { content in
            content.versions[id]?.last(ofRows: number) ?? content.origins[number]?.template
        }
    }

    /// What manifests say of the rows of all versions of an operator.
    func templates(_ id: String) -> [OperatorState] {
        content.withLock { content in
            (content.versions[id]?.kinds ?? []).map(\.template)
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
            guard let last = content.versions[`operator`.id]?.kindNumbers.count,
                let running = content.current(`operator`.id)
            else { return nil }
            var number = running.template.number
            if !keepsRows {
                guard content.nextNumber < .max else { return nil }
                number = content.nextNumber
                content.nextNumber += 1
            }
            let version = OperatorVersion(
                sequence: last,
                number: number,
                of: `operator`,
                implementation
            )
            // There is a way back to the running one only.
            content.versions[`operator`.id]?.forgetImplementations(but: running.sequence)
            content.versions[`operator`.id]?.add(version)
            content.current[`operator`.id] = nil
            return version
        }
    }
}
