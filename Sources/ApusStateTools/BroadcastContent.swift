import ApusCheckpoint
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

extension BroadcastContent {
    /// What an operator has in a checkpoint or savepoint; nil for none.
    ///
    /// - Throws: ``StateToolError`` when the file is damaged.
    init?(_ state: OperatorState, in files: OwnFileReader) throws(StateToolError) {
        guard let reference = state.broadcast else { return nil }
        let contents = try files.read(
            reference.contentName,
            "the broadcast state of operator '\(state.id)'"
        ) { bytes in
            let contents = BroadcastFile.decode(bytes)
            return contents?.count == reference.maps.count ? contents : nil
        }
        guard let contents else { return nil }
        self.init(
            operatorNumber: state.number,
            operator: state.id,
            maps: zip(reference.maps, contents).map { map, entries in
                Map(name: map.name, schemaVersion: map.schemaVersion, entries: entries)
            }
        )
    }
}
