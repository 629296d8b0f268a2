import ApusCheckpoint
import ApusCore
import ApusGraph
import ApusMemory
import ApusPluginHost

/// What goes into the manifests of a job: what is the same each time, and how the rest is put in.
struct CheckpointContents: Sendable {
    let plan: PhysicalPlan
    let implementations: [String: JobEnvironment.Implementation]
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
        plan.nodes.compactMap { node in
            guard case .operator(let declared, _) = node.role,
                let number = operatorNumbers[node.id]
            else { return nil }
            guard let implementation = implementations[node.id] else {
                // A C function: it has no state, only event time.
                return OperatorState(
                    id: node.id,
                    number: number,
                    subtasks: subtasks(of: node, reports)
                )
            }
            let description = implementation.description
            return OperatorState(
                id: node.id,
                number: number,
                plugin: PluginReference(
                    component: description.id,
                    fileName: implementation.plugin.file,
                    contentHash: implementation.plugin.contentHash
                ),
                states: description.states.map { state in
                    var declaration = state.declaration
                    let expiry = declared.expiry(ofState: declaration.name)
                    declaration.timeToLiveMicroseconds = expiry?.ttlMicroseconds
                    return declaration
                },
                timers: description.timers.map(\.declaration),
                subtasks: subtasks(of: node, reports),
                broadcast: own[node.id]?.broadcast,
                operatorState: own[node.id]?.operatorState
            )
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
