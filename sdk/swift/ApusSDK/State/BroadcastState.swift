public import CApusPlugin

/// Entries that every subtask of an operator has, ordered by their keys, declared as a property.
///
/// For rules and settings.  `context[rules]` is the map; see ``BroadcastCell``.  All handlers may
/// read it; ``Operator/processBroadcast(_:_:)`` alone may change it, and must change it in the
/// same way in every subtask.
public struct BroadcastState<Key: StateCodable, Value: StateCodable>: Sendable {
    @usableFromInline let index: UInt32
    @usableFromInline let name: StaticString

    /// Declares a map.
    ///
    /// - Parameters:
    ///   - name: `a-z`, `0-9`, `-`; stable for ever, and unlike those of all other states.
    ///   - version: What the values' bytes mean, from 1.
    ///   - schema: What the bytes mean, for people.
    public init(_ name: StaticString, version: Int = 1, schema: StaticString = "") {
        self.name = name
        index = Declarations.note(
            Declarations.State(
                name: name.description,
                kind: APUS_STATE_BROADCAST,
                schemaVersion: version,
                fixedByteCount: 0,
                schema: schema.description
            ),
            in: \.broadcasts
        )
    }
}

extension Context {
    /// The map.
    @inlinable
    public subscript<Key, Value>(
        state: BroadcastState<Key, Value>
    ) -> BroadcastCell<Key, Value> {
        BroadcastCell(state, frame)
    }
}

/// A map that every subtask has.
///
/// All operations throw ``OperatorError`` when the state is no stored property of the operator, or
/// the bytes are not those of a `Key` or `Value`; those that change it, outside of
/// ``Operator/processBroadcast(_:_:)``.
public struct BroadcastCell<Key: StateCodable, Value: StateCodable>: ~Copyable {
    @usableFromInline let state: BroadcastState<Key, Value>
    @usableFromInline let frame: UnsafeMutablePointer<Frame>

    // SAFETY: as for Context, which alone makes cells.
    @inlinable
    init(_ state: BroadcastState<Key, Value>, _ frame: UnsafeMutablePointer<Frame>) {
        self.state = state
        self.frame = frame
    }

    /// How many entries there are.
    @inlinable
    public func count() throws -> Int {
        var count: UInt64 = 0
        let context = frame.pointee.context
        let code = context.pointee.broadcast.pointee.count(context, state.index, &count)
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
        let code = context.pointee.broadcast.pointee.get(
            context,
            state.index,
            keyBytes.start,
            UInt64(keyBytes.count),
            &bytes
        )
        if code == APUS_NOT_FOUND { return nil }
        guard code == APUS_OK else { throw refused(code) }
        return try StateDecoder.value(Value.self, of: Bytes(bytes), state.name)
    }

    /// Calls `body` with each entry, in the order of the keys.
    ///
    /// - Throws: What `body` throws; ``OperatorError`` when it changes the map.
    @inlinable
    public func walk(_ body: (Key, Value) throws -> Void) throws {
        var cursor = apus_cursor_all()
        let context = frame.pointee.context
        while true {
            var entry = apus_entry()
            var count: UInt32 = 0
            // SAFETY: there is room for the one entry that is asked for; its bytes are valid
            // until the map is written, which is after they were decoded.
            let code = context.pointee.broadcast.pointee.next(
                context,
                state.index,
                &cursor,
                &entry,
                1,
                &count
            )
            guard code == APUS_OK else { throw refused(code) }
            guard count > 0 else { return }
            try body(
                try StateDecoder.value(Key.self, of: Bytes(entry.key), state.name),
                try StateDecoder.value(Value.self, of: Bytes(entry.value), state.name)
            )
        }
    }

    /// Stores a value, replacing the one that the key has.
    @inlinable
    public func set(_ value: Value, for key: Key) throws {
        frame.pointee.keyScratch.replace(with: key)
        frame.pointee.valueScratch.replace(with: value)
        let (keyBytes, bytes) = (frame.pointee.keyScratch.bytes, frame.pointee.valueScratch.bytes)
        let context = frame.pointee.context
        let code = context.pointee.broadcast.pointee.put(
            context,
            state.index,
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
        let keyBytes = frame.pointee.keyScratch.bytes
        let context = frame.pointee.context
        let code = context.pointee.broadcast.pointee.remove(
            context,
            state.index,
            keyBytes.start,
            UInt64(keyBytes.count)
        )
        if code == APUS_NOT_FOUND { return false }
        guard code == APUS_OK else { throw refused(code) }
        return true
    }

    /// Removes all entries.
    @inlinable
    public func clear() throws {
        let context = frame.pointee.context
        let code = context.pointee.broadcast.pointee.clear(context, state.index)
        guard code == APUS_OK else { throw refused(code) }
    }

    @usableFromInline
    func refused(_ code: Int32) -> OperatorError {
        if code == APUS_READ_ONLY {
            return OperatorError(
                "broadcast state '\(state.name)': it can be changed in processBroadcast alone"
            )
        }
        return OperatorError.refused("broadcast state", state.name, code)
    }
}
