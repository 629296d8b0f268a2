import ApusCheckpoint
import ApusCore
import ApusState

/// Broadcast and operator state in the new checkpoint, which have files of their own.
extension StateEdit {
    /// What an operator has in the place of what it had.
    struct OwnChanges {
        var broadcast: BroadcastContent?
        var operatorState: OperatorStateContent?
    }

    /// Gives an operator other broadcast state.
    func replace(_ content: BroadcastContent) {
        ownChanges[content.operatorNumber, default: OwnChanges()].broadcast = content
    }

    /// Gives an operator other operator state.
    func replace(_ content: OperatorStateContent) {
        ownChanges[content.operatorNumber, default: OwnChanges()].operatorState = content
    }

    /// Adds the files that have changed, and takes over all others that are not of the database.
    func addFiles(
        to attempt: CheckpointAttempt,
        _ manifest: inout Manifest
    ) throws(StateToolError) {
        var added: [FileEntry] = []
        for index in manifest.operators.indices {
            let id = manifest.operators[index].id
            let changes = ownChanges[manifest.operators[index].number]
            if let content = changes?.broadcast, manifest.operators[index].broadcast != nil {
                let bytes = BroadcastFile.encode(content.maps.map(\.entries))
                let file = try add(bytes, .broadcast, id, to: attempt)
                added.append(file)
                manifest.operators[index].broadcast?.contentName = file.contentName
                for (map, found) in content.maps.enumerated() {
                    manifest.operators[index].broadcast?.maps[map].entryCount = found.entries.count
                }
            }
            if let content = changes?.operatorState,
                manifest.operators[index].operatorState != nil
            {
                let file = try add(content.fileBytes, .operatorState, id, to: attempt)
                added.append(file)
                manifest.operators[index].operatorState?.contentName = file.contentName
                for (list, found) in content.lists.enumerated() {
                    manifest.operators[index].operatorState?.lists[list].itemCount = found.itemCount
                }
            }
        }
        let needed = Set(manifest.operators.flatMap(\.ownContentNames))
        for file in base.files where file.role != .state {
            let isOwn = file.role == .broadcast || file.role == .operatorState
            let isReplaced = added.contains {
                $0.role == file.role
                    && ($0.logicalName == file.logicalName || $0.contentName == file.contentName)
            }
            if isOwn, isReplaced || !needed.contains(file.contentName) { continue }
            try StateToolError.onFolder(try attempt.carry(file))
            manifest.files.append(file)
        }
        manifest.files += added
    }

    private func add(
        _ bytes: [UInt8],
        _ role: FileRole,
        _ name: String,
        to attempt: CheckpointAttempt
    ) throws(StateToolError) -> FileEntry {
        let work = try StateToolError.onFolder(try folder.workDirectory("state-edit"))
        let path = "\(work)/\(role.rawValue)-\(name)"
        try StateToolError.onDisk(try disk.writeAtomically(bytes, to: path, mode: 0o600))
        defer { try? disk.remove(path) }  // what stays goes at the next start
        return try StateToolError.onFolder(try attempt.add(path, role: role, logicalName: name))
    }
}
