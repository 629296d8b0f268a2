import CApusPlugin

/// Entries that every subtask of an operator has, ordered by their keys, declared as a property.
///
/// For rules and settings.  `context[rules]` is the map; see ``MapCell``.  All handlers may
/// read it; ``Operator/processBroadcast(_:_:)`` alone may change it, and must change it in the
/// same way in every subtask.
public struct BroadcastState<Key: StateCodable, Value: StateCodable>: Sendable {
    @usableFromInline let index: UInt32
    @usableFromInline let name: StaticString

    /// Declares a map.
    ///
    /// - Parameters:
    ///   - name: `a-z`, `0-9`, `-`; stable for ever, and unlike those of all other states.
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
        index = Declarations.note(
            Declarations.State(
                name: name.description,
                kind: APUS_STATE_BROADCAST,
                schemaVersion: version ?? Value.schemaVersion,
                fixedByteCount: 0,
                schema: schema.description,
                renamedFrom: renamedFrom.description,
                migration: StateMigration(Value.self)
            ),
            in: \.broadcasts
        )
    }
}

extension Context {
    /// The map.
    @inlinable
    public subscript<Key, Value>(state: BroadcastState<Key, Value>) -> MapCell<Key, Value> {
        MapCell(state.index, state.name, frame, record: nil)
    }
}
