import ApusCheckpoint
import ApusGraph
import ApusPluginHost
import ApusState
import ApusSwap

/// How the parts of a checkpoint fit the job that goes on from it.
///
/// Pure: looks at values, touches nothing.
struct RestorePlan {
    /// The checkpoint without the parts that are given up.
    let manifest: Manifest?
    /// The number under which each operator's state is filed.
    let operatorNumbers: [String: UInt16]
    /// The operator with the highest number ever, when the job has it no longer: with it in the
    /// manifest the number is never given again.
    let retired: [OperatorState]

    /// The highest number that was ever given.
    let highestNumber: UInt16
    /// What becomes of the state of operators whose plugin has another schema, by id.
    let changes: [String: ComponentChange]

    private let plan: PhysicalPlan

    /// Checks that a job can go on from a checkpoint.
    ///
    /// - Throws: ``JobFailure`` that names what does not fit, and how to go on.
    init(
        _ manifest: Manifest?,
        plan: PhysicalPlan,
        implementations: [String: JobEnvironment.Implementation],
        dropping dropped: Set<String>,
        swapped: Set<String> = []
    ) throws(JobFailure) {
        self.plan = plan
        self.manifest = manifest.map { Self.reduce($0, dropping: dropped) }
        if let kept = self.manifest {
            try Self.checkJob(kept, plan)
            try Self.checkNodes(kept, plan)
        }
        changes = try Self.compare(self.manifest, plan, implementations, swapped)
        let changed = changes.filter { !$0.value.keepsRows }.keys
        (operatorNumbers, retired) = try Self.number(
            plan,
            // Rows of another schema are taken over under a number of their own.
            kept: (self.manifest?.operators ?? []).filter { !changed.contains($0.id) },
            all: manifest?.operators ?? []
        )
        highestNumber = max(
            operatorNumbers.values.max() ?? 0,
            manifest?.operators.map(\.number).max() ?? 0
        )
    }

    /// The id under which a manifest has the rows of an operator's older version.
    static func originID(_ id: String, _ number: UInt16) -> String { "\(id)@\(number)" }

    /// The operator that rows belong to.
    private static func owner(_ id: String) -> String {
        id.split(separator: "@", maxSplits: 1).first.map(String.init) ?? id
    }

    /// The rows of an operator's older versions that were not taken over, the newest first; those
    /// of the checkpoint's own version as well, when the plugin has another schema.
    func origins(_ id: String) -> [OperatorState] {
        let number = operatorNumbers[id]
        return (manifest?.operators ?? [])
            .filter { Self.owner($0.id) == id && $0.number != number && $0.hasState }
            .sorted { $0.number > $1.number }
    }

    private static func reduce(_ manifest: Manifest, dropping dropped: Set<String>) -> Manifest {
        var kept = manifest
        kept.operators.removeAll { dropped.contains(owner($0.id)) }
        kept.sources.removeAll { dropped.contains($0.id) }
        kept.sinks.removeAll { dropped.contains($0.id) }
        kept.inFlight.removeAll { dropped.contains($0.node) }
        return kept
    }

    // MARK: - Numbers

    /// Numbers are never given twice: what is filed under an old one stays where it is.
    private static func number(
        _ plan: PhysicalPlan,
        kept: [OperatorState],
        all: [OperatorState]
    ) throws(JobFailure) -> (numbers: [String: UInt16], retired: [OperatorState]) {
        var numbers: [String: UInt16] = [:]
        let highest = all.map(\.number).max() ?? 0
        var next = highest
        for node in plan.nodes {
            guard case .operator = node.role else { continue }
            if let old = kept.first(where: { $0.id == node.id && !$0.isRetired }) {
                numbers[node.id] = old.number
            } else {
                guard next < .max else {
                    throw JobFailure(
                        .environment,
                        node: node.id,
                        "the job has had 65,535 operators in its life, and no number is left; "
                            + "start it from the beginning in a new checkpoint folder"
                    )
                }
                next += 1
                numbers[node.id] = next
            }
        }
        let retired = all.filter { state in
            state.number == highest && !numbers.values.contains { $0 >= highest }
        }
        return (numbers, retired.map { OperatorState(id: $0.id, number: $0.number) })
    }

    // MARK: - Checks

    private static func checkJob(_ manifest: Manifest, _ plan: PhysicalPlan) throws(JobFailure) {
        guard manifest.job == plan.jobName else {
            throw JobFailure(
                .environment,
                node: plan.jobName,
                "checkpoint \(manifest.number) is of job '\(manifest.job)', not of "
                    + "'\(plan.jobName)'; give this job a checkpoint folder of its own"
            )
        }
        guard manifest.maxParallelism == plan.maxParallelism else {
            throw JobFailure(
                .environment,
                node: plan.jobName,
                "max-parallelism is \(plan.maxParallelism), and \(manifest.maxParallelism) in "
                    + "checkpoint \(manifest.number); it is fixed for a job's life: set "
                    + "max-parallelism: \(manifest.maxParallelism)"
            )
        }
    }

    private static func checkNodes(_ manifest: Manifest, _ plan: PhysicalPlan) throws(JobFailure) {
        for source in manifest.sources {
            guard let node = plan.nodes.first(where: { $0.id == source.id }),
                case .source = node.role
            else { throw missing(source.id, "a source", "its position", manifest) }
            // Splits are dealt out at any parallelism.
            if case .source(let description) = node.role, case .plugin = description.kind {
                continue
            }
            guard node.subtaskCount == source.subtaskCount else {
                throw JobFailure(
                    .environment,
                    node: source.id,
                    "the source has \(node.subtaskCount) subtasks, and \(source.subtaskCount) in "
                        + "checkpoint \(manifest.number); its positions cannot be dealt out anew: "
                        + "run the job with the parallelism that it had (\(manifest.parallelism)), "
                        + dropHint(source.id)
                )
            }
        }
        for state in manifest.operators where state.hasState {
            let owner = owner(state.id)
            guard let node = plan.nodes.first(where: { $0.id == owner }),
                case .operator = node.role
            else { throw missing(owner, "an operator", "state", manifest) }
        }
        for sink in manifest.sinks where !sink.undelivered.isEmpty {
            guard let node = plan.nodes.first(where: { $0.id == sink.id }), case .sink = node.role
            else { throw missing(sink.id, "a sink", "output that is not delivered", manifest) }
        }
        for records in manifest.inFlight {
            guard plan.nodes.contains(where: { $0.id == records.node }) else {
                throw missing(records.node, "a node", "records on their way to it", manifest)
            }
        }
    }

    private static func missing(
        _ id: String,
        _ kind: String,
        _ what: String,
        _ manifest: Manifest
    ) -> JobFailure {
        JobFailure(
            .environment,
            node: id,
            "checkpoint \(manifest.number) has \(what) for '\(id)', and the job has no longer "
                + "\(kind) of that id; give it back its id, " + dropHint(id)
        )
    }

    private static func dropHint(_ id: String) -> String {
        "or give that part of the checkpoint up: --drop-state \(id)"
    }

    /// Compares what the checkpoint has with what plugins declare.
    private static func compare(
        _ manifest: Manifest?,
        _ plan: PhysicalPlan,
        _ implementations: [String: JobEnvironment.Implementation],
        _ swapped: Set<String>
    ) throws(JobFailure) -> [String: ComponentChange] {
        guard let manifest else { return [:] }
        var changes: [String: ComponentChange] = [:]
        for node in plan.nodes {
            guard let implementation = implementations[node.id],
                let old = manifest.operators.first(where: { $0.id == node.id }), old.hasState
            else { continue }
            let mayDrop = swapped.contains(node.id)
            changes[node.id] = try compare(manifest, old, implementation, mayDrop: mayDrop)
        }
        return changes
    }

    /// What becomes of an operator's state; nil when all of it is as it was.
    private static func compare(
        _ manifest: Manifest,
        _ old: OperatorState,
        _ implementation: JobEnvironment.Implementation,
        mayDrop: Bool
    ) throws(JobFailure) -> ComponentChange? {
        let new = ComponentShape(implementation.description)
        let before = ComponentShape(old, portsAs: new)
        let change = ComponentChange(from: before, to: new)
        let differs = change.parts.contains { part in
            // What a private snapshot's version means is between it and its plugin.
            part.kind != .snapshot && part.verdict != .asIs
                || part.kind == .snapshot && (part.verdict == .new || part.verdict == .dropped)
        }
        guard differs || !change.keepsRows else { return nil }
        let obstacle =
            change.obstacles.first
            ?? change.parts.first { part in
                switch part.kind {
                case .broadcast, .operatorState, .snapshot: part.verdict != .asIs
                // A swap says beforehand what it drops; a job that is just started does not.
                case .state, .timer: part.verdict == .dropped && !mayDrop
                case .port: false
                }
            }
        guard let obstacle else { return change }
        throw misfit(manifest, old, implementation, obstacle)
    }

    private static func misfit(
        _ manifest: Manifest,
        _ old: OperatorState,
        _ implementation: JobEnvironment.Implementation,
        _ part: ComponentChange.Part
    ) -> JobFailure {
        let new = implementation.description
        let oldNames =
            old.states.map(\.summary) + old.timers.map(\.summary)
            + (old.broadcast?.maps ?? []).map { broadcast($0.name, $0.schemaVersion) }
            + (old.operatorState?.lists ?? []).map {
                operatorState($0.redistribution, $0.name, $0.schemaVersion)
            }
        let newNames =
            new.states.map { $0.declaration.summary } + new.timers.map { $0.declaration.summary }
            + new.broadcasts.map { broadcast($0.name, $0.schemaVersion) }
            + new.operatorStates.map {
                operatorState($0.redistribution.rawValue, $0.name, $0.schemaVersion)
            }
        let reason = part.reason ?? "it can be changed in a running job only: `apus swap run`"
        return JobFailure(
            .environment,
            node: old.id,
            "its state does not fit checkpoint \(manifest.number): expected "
                + "\(list(oldNames)), the plugin declares \(list(newNames)); "
                + "\(part.kind.rawValue) '\(part.name)' \(reason); or run it with the "
                + "plugin that wrote the checkpoint "
                + "(\(old.plugin?.fileName ?? "?"), \(old.plugin?.contentHash ?? "?")), "
                + dropHint(old.id)
        )
    }

    private static func broadcast(_ name: String, _ schemaVersion: Int) -> String {
        "broadcast '\(name)' version \(schemaVersion)"
    }

    private static func operatorState(
        _ redistribution: String,
        _ name: String,
        _ schemaVersion: Int
    ) -> String {
        // What version its bytes have is between it and its plugin.
        if name == PrivateSnapshot.stateName { return "a private snapshot" }
        return "\(redistribution) operator state '\(name)' version \(schemaVersion)"
    }

    private static func list(_ names: [String]) -> String {
        names.isEmpty ? "none" : names.joined(separator: ", ")
    }

    // MARK: - What each part gets

    /// Whether nothing is left to do: all input had ended, and the job has no other.
    var isFinal: Bool {
        guard let manifest, manifest.isFinal else { return false }
        return plan.nodes.allSatisfy { node in
            guard case .source = node.role else { return true }
            return manifest.sources.contains { $0.id == node.id }
        }
    }

    /// Where a source's subtask was.
    func source(_ id: String, subtask: Int) -> SourceState? {
        manifest?.sources.first { $0.id == id && $0.subtask == subtask }
    }

    /// Where all subtasks of a source were, in their order.
    func sources(_ id: String) -> [SourceState] {
        (manifest?.sources.filter { $0.id == id } ?? []).sorted { $0.subtask < $1.subtask }
    }

    /// Event time at an operator's subtask; `Int64.min` for none.
    ///
    /// When the operator has another number of subtasks now, the least of all: keys may come from
    /// any of them, and no record may be called late that was not.
    func watermark(_ id: String, subtask: Int, subtaskCount: Int) -> Int64 {
        guard let state = manifest?.operators.first(where: { $0.id == id }) else { return .min }
        if state.subtasks.count == subtaskCount {
            let same = state.subtasks.first { $0.subtask == subtask }
            return same?.watermarkMicroseconds ?? .min
        }
        return state.subtasks.map { $0.watermarkMicroseconds ?? .min }.min() ?? .min
    }

    /// Whether the checkpoint may have state of an operator.
    func hasState(_ id: String) -> Bool {
        manifest?.operators.contains {
            $0.id == id && $0.hasState && $0.number == operatorNumbers[id]
        } ?? false
    }

    /// The file with an operator's broadcast or operator state; nil when the checkpoint has none.
    func ownFile(_ id: String, _ role: FileRole) -> FileEntry? {
        guard let manifest, let state = manifest.operators.first(where: { $0.id == id }) else {
            return nil
        }
        return manifest.files.first {
            $0.role == role && state.ownContentNames.contains($0.contentName)
        }
    }

    /// What an operator held, over all its subtasks.
    func totals(_ id: String) -> StateTotals {
        totals(ofRows: operatorNumbers[id] ?? 0)
    }

    /// What the rows that are filed under a number held, over all subtasks.
    func totals(ofRows number: UInt16) -> StateTotals {
        var totals = StateTotals()
        for state in manifest?.operators ?? [] where state.number == number {
            for subtask in state.subtasks {
                totals.keyCount += subtask.keyCount
                totals.eventTimerCount += subtask.eventTimerCount ?? 0
                totals.processingTimerCount += subtask.processingTimerCount ?? 0
            }
        }
        return totals
    }

    /// The logs of records on their way to a node.
    func inFlight(_ id: String) -> [InFlight] {
        manifest?.inFlight.filter { $0.node == id } ?? []
    }
}

extension OperatorState {
    /// Whether the checkpoint may have state or timers of it.
    var hasState: Bool { !states.isEmpty || !timers.isEmpty || !ownContentNames.isEmpty }

    /// Whether it only keeps a number from being given again.
    var isRetired: Bool { subtasks.isEmpty }
}

extension StateDeclaration {
    fileprivate var summary: String {
        let size = fixedByteCount.map { "[\($0)]" } ?? ""
        return "\(kind)\(size) '\(name)' version \(schemaVersion)"
    }
}

extension TimerDeclaration {
    fileprivate var summary: String {
        let version = schemaVersion.map { " version \($0)" } ?? ""
        return "\(domain)-time timer '\(name)'\(version)"
    }
}
