public import CApusPlugin

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
    ///   - version: What the values' bytes mean, from 1.
    ///   - schema: What the bytes mean, for people.
    public init(_ name: StaticString, version: Int = 1, schema: StaticString = "") {
        self.name = name
        slot = Declarations.note(
            Declarations.State(
                name: name.description,
                kind: APUS_STATE_MAP,
                schemaVersion: version,
                fixedByteCount: 0,
                schema: schema.description
            ),
            in: \.states
        )
    }
}

extension Context {
    /// The map for the key in hand.
    @inlinable
    public subscript<Key, Value>(state: MapState<Key, Value>) -> MapCell<Key, Value> {
        MapCell(state, frame, record)
    }
}

/// A map for the key in hand.
///
/// All operations throw ``OperatorError`` when there is no key, the state is no stored property of
/// the operator, or the bytes are not those of a `Key` or `Value`.
public struct MapCell<Key: StateCodable, Value: StateCodable>: ~Copyable {
    @usableFromInline let state: MapState<Key, Value>
    @usableFromInline let frame: UnsafeMutablePointer<Frame>
    @usableFromInline let record: UInt32

    // SAFETY: as for Context, which alone makes cells.
    @inlinable
    init(
        _ state: MapState<Key, Value>,
        _ frame: UnsafeMutablePointer<Frame>,
        _ record: UInt32
    ) {
        self.state = state
        self.frame = frame
        self.record = record
    }

    /// How many entries there are.
    @inlinable
    public func count() throws -> Int {
        var count: UInt64 = 0
        let context = frame.pointee.context
        let code = context.pointee.state.pointee.map_count(context, state.slot, record, &count)
        if code == APUS_NOT_FOUND { return 0 }
        guard code == APUS_OK else { throw refused(code) }
        return Int(count)
    }

    /// The value of a key; nil when there is no such entry.
    @inlinable
    public func get(_ key: Key) throws -> Value? {
        frame.pointee.keyScratch.replace(with: key)
        let keyBytes = frame.pointee.keyScratch.bytes
        var bytes = apus_bytes()
        let context = frame.pointee.context
        let code = context.pointee.state.pointee.map_get(
            context,
            state.slot,
            record,
            keyBytes.start,
            UInt64(keyBytes.count),
            &bytes
        )
        if code == APUS_NOT_FOUND { return nil }
        guard code == APUS_OK else { throw refused(code) }
        return try StateDecoder.value(Value.self, of: Bytes(bytes), state.name)
    }

    /// Stores a value, replacing the one that the key has.
    @inlinable
    public func set(_ value: Value, for key: Key) throws {
        frame.pointee.keyScratch.replace(with: key)
        frame.pointee.valueScratch.replace(with: value)
        let (keyBytes, bytes) = (frame.pointee.keyScratch.bytes, frame.pointee.valueScratch.bytes)
        let context = frame.pointee.context
        let code = context.pointee.state.pointee.map_put(
            context,
            state.slot,
            record,
            keyBytes.start,
            UInt64(keyBytes.count),
            bytes.start,
            UInt64(bytes.count)
        )
        guard code == APUS_OK else { throw refused(code) }
    }

    /// Removes an entry.
    ///
    /// - Returns: Whether there was one.
    @inlinable
    @discardableResult
    public func remove(_ key: Key) throws -> Bool {
        frame.pointee.keyScratch.replace(with: key)
        return try remove(frame.pointee.keyScratch.bytes)
    }

    /// Forgets all entries.
    @inlinable
    public func clear() throws {
        try frame.pointee.clear(state.slot, record, state.name)
    }

    @inlinable
    func remove(_ key: Bytes) throws -> Bool {
        let context = frame.pointee.context
        let code = context.pointee.state.pointee.map_remove(
            context,
            state.slot,
            record,
            key.start,
            UInt64(key.count)
        )
        if code == APUS_NOT_FOUND { return false }
        guard code == APUS_OK else { throw refused(code) }
        return true
    }

    @usableFromInline
    func refused(_ code: Int32) -> OperatorError {
        OperatorError.refused("state", state.name, code)
    }
}
