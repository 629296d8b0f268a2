import ApusCheckpoint
import ApusCore
package import ApusState

/// The broadcast state of an operator in a checkpoint, as tools show it.
package struct BroadcastContent: Equatable, Sendable {
    /// The operator's number.
    package let operatorNumber: UInt16
    /// The operator's id.
    package let `operator`: String
    /// The maps, in the order of their declaration.
    package internal(set) var maps: [Map]

    /// A map.
    package struct Map: Equatable, Sendable {
        /// Its name.
        package let name: String
        /// What the bytes mean, by the operator's numbering.
        package let schemaVersion: Int
        /// Its entries, in the order of their keys.
        package internal(set) var entries: [BroadcastEntry]

        /// The bytes of all keys and values.
        package var byteCount: Int {
            entries.reduce(0) { $0 + $1.key.count + $1.value.count }
        }
    }
}

/// Reads broadcast state out of files.
enum BroadcastReader {
    /// Reads the broadcast state of an operator.
    ///
    /// - Parameters:
    ///   - state: The operator, as the manifest says it.
    ///   - files: The files of the manifest.
    ///   - disk: The seam to files.
    ///   - path: Where a file is.
    /// - Returns: What it has; nil for none.
    /// - Throws: ``StateToolError`` when the file is damaged.
    static func read(
        _ state: OperatorState,
        _ files: [FileEntry],
        disk: any Disk,
        path: (FileEntry) -> String
    ) throws(StateToolError) -> BroadcastContent? {
        guard let reference = state.broadcast else { return nil }
        guard
            let file = files.first(where: {
                $0.role == .broadcast && $0.contentName == reference.contentName
            })
        else { return nil }  // Impossible: the manifest was checked.
        let place = path(file)
        let bytes = try StateToolError.onDisk(
            try disk.readAll(place, maximumByteCount: file.byteCount)
        )
        guard ContentDigest.digits(of: bytes) == file.hash,
            let contents = BroadcastFile.decode(bytes), contents.count == reference.maps.count
        else {
            throw StateToolError(
                .input,
                "\(place): the broadcast state of operator '\(state.id)' is damaged, or a newer "
                    + "Apus wrote it; restore an earlier checkpoint"
            )
        }
        return BroadcastContent(
            operatorNumber: state.number,
            operator: state.id,
            maps: zip(reference.maps, contents).map { map, entries in
                BroadcastContent.Map(
                    name: map.name,
                    schemaVersion: map.schemaVersion,
                    entries: entries
                )
            }
        )
    }
}
