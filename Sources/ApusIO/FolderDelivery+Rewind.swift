import ApusCore
package import ApusMemory

/// Going back: parts behind a checkpoint's position are moved to a folder in the target.
extension FolderDelivery {
    // doc: inherited
    package func surplus(
        behind position: [UInt8],
        undelivered: [SealedOutput]
    ) throws(EndpointError) -> String? {
        let state = try read(position, undelivered)
        do throws(DiskError) {
            return describe(try surplus(state))
        } catch {
            throw EndpointError(error.description)
        }
    }

    // doc: inherited
    package func rewind(
        to position: [UInt8],
        undelivered: [SealedOutput],
        checkpoint number: UInt64
    ) throws(EndpointError) -> String? {
        let state = try read(position, undelivered)
        do throws(DiskError) {
            let names = try surplus(state)
            guard let text = describe(names) else { return nil }
            // First nobody is told of the parts, then they go.
            try rewindMarker(state)
            let aside = disk.freePath("\(folder)/rewound-\(number)")
            try disk.makeDirectory(aside)
            for name in names { try disk.rename("\(folder)/\(name)", to: "\(aside)/\(name)") }
            try disk.synchronizeFolder(aside)
            try disk.synchronizeFolder(folder)
            return "\(text): moved to \(aside)"
        } catch {
            throw EndpointError(error.description)
        }
    }

    private func describe(_ names: [String]) -> String? {
        guard let first = names.first else { return nil }
        return "\(folder) has \(names.count) parts behind it, \(first) first"
    }

    /// The names of the parts that are neither delivered nor the same as what was undelivered.
    private func surplus(_ state: State) throws(DiskError) -> [String] {
        var names: [String] = []
        for entry in try disk.list(folder) where !entry.isFolder {
            guard let part = PartName(entry.name), part.number > state.firstNumber,
                !state.delivered.contains(part.subtask, part.number - state.firstNumber)
            else { continue }
            let isRestored = try isRestored(entry.name, state)
            if !isRestored { names.append(entry.name) }
        }
        return names
    }

    private func rewindMarker(_ state: State) throws(DiskError) {
        var marker = try PartMarker.read(in: folder, disk: disk)
        guard marker != PartMarker() else { return }
        let epochs = Dictionary(
            uniqueKeysWithValues: state.delivered.sorted.map { ($0.subtask, $0.epoch) }
        )
        marker.limit { subtask in
            state.hasBegun ? state.firstNumber + (epochs[subtask] ?? 0) : 0
        }
        try marker.write(in: folder, disk: disk)
        try disk.synchronizeFolder(folder)
    }
}
