import ApusCheckpoint
import ApusCore
import ApusGraph
import ApusPluginHost

/// The files of a checkpoint that hold broadcast and operator state, one each per operator.
///
/// On the checkpoint thread.
struct OwnFiles {
    /// What the manifest says of an operator.
    struct References {
        var broadcast: BroadcastReference?
        var operatorState: OperatorStateReference?
    }

    /// By operator.
    private(set) var references: [String: References] = [:]
    private(set) var files: [FileEntry] = []

    private let attempt: CheckpointAttempt
    private let directory: String
    private let disk: any Disk

    /// Begins without files.
    ///
    /// - Parameters:
    ///   - attempt: The checkpoint.
    ///   - directory: Where files are written before the checkpoint has them.
    ///   - disk: The seam to files.
    init(of attempt: CheckpointAttempt, by directory: String, disk: any Disk) {
        self.attempt = attempt
        self.directory = directory
        self.disk = disk
    }

    /// Adds what an operator has.
    ///
    /// - Throws: ``BroadcastCheckpoint/Difference``, ``CheckpointError`` or ``DiskError``.
    mutating func add(
        _ node: PlanNode,
        _ description: ComponentDescription,
        _ reports: [SubtaskReport]
    ) throws {
        if let found = try BroadcastCheckpoint(node.id, description, reports) {
            let file = try add(found.bytes, .broadcast, node)
            references[node.id, default: References()].broadcast = found.reference(to: file)
        }
        if let found = OperatorStateCheckpoint(description, reports) {
            let file = try add(found.bytes, .operatorState, node)
            references[node.id, default: References()].operatorState = found.reference(to: file)
        }
    }

    private mutating func add(
        _ bytes: [UInt8],
        _ role: FileRole,
        _ node: PlanNode
    ) throws -> FileEntry {
        let path = "\(directory)/\(node.index).\(role.rawValue)"
        // The checkpoint has a link to it, or a copy.
        defer { try? disk.remove(path) }  // what stays goes at the next start
        try disk.writeAtomically(bytes, to: path, mode: 0o600)
        let file = try attempt.add(path, role: role, logicalName: node.id)
        files.append(file)
        return file
    }
}
