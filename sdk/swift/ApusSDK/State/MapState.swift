import CApusPlugin

/// Entries per key, ordered by their own keys, declared as a property.
///
/// `context[pending]` is the map for the key in hand; see ``MapCell``.
public struct MapState<Key: StateCodable, Value: StateCodable>: Sendable {
    @usableFromInline let slot: UInt32
    @usableFromInline let name: StaticString

    /// Declares a map.
    ///
    /// - Parameters:
    ///   - name: `a-z`, `0-9`, `-`; stable for ever.
    ///   - version: What the bytes mean, from 1; that of the type unless stated.
    ///   - schema: What the bytes mean, for people.
    ///   - renamedFrom: The name that the state had in older versions of the operator.
    public init(
        _ name: StaticString,
        version: Int? = nil,
        schema: StaticString = "",
        renamedFrom: StaticString = ""
    ) {
        self.name = name
        slot = Declarations.note(
            Declarations.State(
                name: name.description,
                kind: APUS_STATE_MAP,
                schemaVersion: version ?? Value.schemaVersion,
                fixedByteCount: 0,
                schema: schema.description,
                renamedFrom: renamedFrom.description,
                migration: StateMigration(Value.self)
            ),
            in: \.states
        )
    }
}

extension Context {
    /// The map for the key in hand.
    @inlinable
    public subscript<Key, Value>(state: MapState<Key, Value>) -> MapCell<Key, Value> {
        MapCell(state.slot, state.name, frame, record: record)
    }
}
