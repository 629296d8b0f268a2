import ApusCheckpoint
import ApusCore
import ApusGraph
import ApusMemory
import ApusPluginHost

/// What goes into the manifests of a job: what is the same each time, and how the rest is put in.
struct CheckpointContents: Sendable {
    let plan: PhysicalPlan
    let versions: OperatorVersions
    let operatorNumbers: [String: UInt16]
    let retired: [OperatorState]
    let writerVersion: String

    /// All subtasks of the job, each of which reports.
    var subtasks: [SubtaskID] {
        plan.nodes.flatMap { node in
            (0..<node.subtaskCount).map {
                SubtaskID(nodeIndex: node.index, node: node.id, subtask: $0)
            }
        }
    }

    /// The manifest of a checkpoint whose subtasks have all reported.
    ///
    /// - Parameters:
    ///   - number: The checkpoint.
    ///   - createdMicroseconds: When its barrier was sent.
    ///   - reports: A report of each subtask.
    ///   - positions: What has been delivered, by sink.
    ///   - outputs: What has not, with the files that hold it.
    ///   - inFlight: Records that the barrier has overtaken, with their files.
    ///   - own: Broadcast and operator state, by operator.
    ///   - files: All files.
    /// - Returns: The manifest, ready to be committed.
    func manifest(
        _ number: UInt64,
        createdMicroseconds: Int64,
        reports: [SubtaskReport],
        positions: [String: [UInt8]],
        outputs: [(output: SealedOutput, file: FileEntry)],
        inFlight: [(subtask: SubtaskID, file: FileEntry)],
        own: [String: OwnFiles.References],
        files: [FileEntry]
    ) -> Manifest {
        let ordered = reports.sorted { $0.subtask < $1.subtask }
        return Manifest(
            job: plan.jobName,
            number: number,
            createdMicroseconds: createdMicroseconds,
            writerVersion: writerVersion,
            maxParallelism: plan.maxParallelism,
            parallelism: plan.parallelism,
            isFinal: Self.isFinal(reports),
            operators: operators(ordered, own) + retired,
            sources: sources(ordered),
            sinks: sinks(positions, outputs.map { ($0.output, $0.file) }),
            inFlight: inFlight.map {
                InFlight(
                    node: $0.subtask.node,
                    subtask: $0.subtask.subtask,
                    contentName: $0.file.contentName
                )
            },
            files: files
        )
    }

    /// Whether all input had ended.
    static func isFinal(_ reports: [SubtaskReport]) -> Bool {
        reports.allSatisfy { report in
            guard case .source(let source) = report.content else { return true }
            return source.hasEnded
        }
    }

    private func operators(
        _ reports: [SubtaskReport],
        _ own: [String: OwnFiles.References]
    ) -> [OperatorState] {
        plan.nodes.flatMap { node -> [OperatorState] in
            guard case .operator = node.role, let number = operatorNumbers[node.id] else {
                return []
            }
            guard let version = version(of: node, reports) else {
                // A C function: it has no state, only event time.
                return [
                    OperatorState(
                        id: node.id,
                        number: number,
                        subtasks: subtasks(of: node, reports)
                    )
                ]
            }
            var state = version.template
            state.subtasks = subtasks(of: node, reports)
            state.broadcast = own[node.id]?.broadcast
            state.operatorState = own[node.id]?.operatorState
            return [state] + origins(of: node, version, reports)
        }
    }

    /// The newest version of an operator that any of its subtasks has reported; nil for a C
    /// function.
    func version(of node: PlanNode, _ reports: [SubtaskReport]) -> OperatorVersion? {
        let newest = snapshots(of: node, reports).map(\.snapshot.version).max() ?? 0
        return versions.version(node.id, newest)
    }

    private func snapshots(
        of node: PlanNode,
        _ reports: [SubtaskReport]
    ) -> [(subtask: Int, snapshot: OperatorSnapshot)] {
        reports.compactMap { report in
            guard report.subtask.nodeIndex == node.index,
                case .operator(let snapshot) = report.content
            else { return nil }
            return (report.subtask.subtask, snapshot)
        }
    }

    /// Rows of older versions that are not taken over yet, each as an operator of its own,
    /// `ID@NUMBER`: with what is needed to read them without the plugin.
    private func origins(
        of node: PlanNode,
        _ version: OperatorVersion,
        _ reports: [SubtaskReport]
    ) -> [OperatorState] {
        var keyCounts: [UInt16: [Int: Int]] = [:]
        for (subtask, snapshot) in snapshots(of: node, reports) {
            for (number, keyCount) in snapshot.origins {
                keyCounts[number, default: [:]][subtask] = keyCount
            }
            // A subtask that had not switched yet.
            let own = versions.version(node.id, snapshot.version)?.template.number
            if let own, own != version.template.number {
                keyCounts[own, default: [:]][subtask] = snapshot.keyCount
            }
        }
        return keyCounts.sorted { $0.key > $1.key }.compactMap { number, counts in
            guard number != version.template.number,
                var state = versions.template(node.id, ofRows: number)
            else { return nil }
            state.id = RestorePlan.originID(node.id, number)
            state.subtasks = counts.sorted { $0.key < $1.key }.map { subtask, keyCount in
                SubtaskState(
                    subtask: subtask,
                    watermarkMicroseconds: nil,
                    keyCount: keyCount,
                    byteCount: 0
                )
            }
            state.broadcast = nil
            state.operatorState = nil
            return state
        }
    }

    private func subtasks(of node: PlanNode, _ reports: [SubtaskReport]) -> [SubtaskState] {
        reports.compactMap { report in
            guard report.subtask.nodeIndex == node.index,
                case .operator(let snapshot) = report.content
            else { return nil }
            return SubtaskState(
                subtask: report.subtask.subtask,
                watermarkMicroseconds: Self.time(snapshot.watermark),
                keyCount: snapshot.keyCount,
                byteCount: snapshot.byteCount,
                eventTimerCount: snapshot.eventTimerCount,
                processingTimerCount: snapshot.processingTimerCount
            )
        }
    }

    private func sources(_ reports: [SubtaskReport]) -> [SourceState] {
        reports.compactMap { report in
            let node = plan.nodes[report.subtask.nodeIndex]
            guard case .source(let description) = node.role,
                case .source(let snapshot) = report.content
            else { return nil }
            return SourceState(
                id: node.id,
                kind: description.kind.name,
                subtask: report.subtask.subtask,
                subtaskCount: node.subtaskCount,
                position: snapshot.position,
                newestMicroseconds: Self.time(snapshot.newestTime),
                watermarkMicroseconds: Self.time(snapshot.watermark)
            )
        }
    }

    private func sinks(
        _ positions: [String: [UInt8]],
        _ outputs: [(SealedOutput, FileEntry)]
    ) -> [SinkState] {
        plan.nodes.flatMap { node -> [SinkState] in
            guard case .sink = node.role else { return [] }
            // The job may have had more subtasks when it sealed what waits.
            let others = outputs.filter { $0.0.sink == node.id }.map(\.0.subtask)
            return (0..<max(node.subtaskCount, (others.max() ?? 0) + 1)).map { subtask in
                SinkState(
                    id: node.id,
                    subtask: subtask,
                    position: subtask == 0 ? positions[node.id] ?? [] : [],
                    undelivered: outputs.filter { $0.0.sink == node.id && $0.0.subtask == subtask }
                        .map { UndeliveredLog(epoch: $0.0.epoch, contentName: $0.1.contentName) }
                )
            }
        }
    }

    private static func time(_ microseconds: Int64) -> Int64? {
        microseconds == .min ? nil : microseconds
    }
}

extension SourceKind {
    /// What a manifest calls the kind.
    fileprivate var name: String {
        switch self {
        case .file: "file"
        case .stdin: "stdin"
        case .generator: "generator"
        case .plugin: "plugin"
        }
    }
}
