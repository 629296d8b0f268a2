public import CApusPlugin

/// A map: that of a ``MapState`` for the key in hand, or a ``BroadcastState``, which has no key.
///
/// All operations throw ``OperatorError`` when there is no key and there must be one, the state is
/// no stored property of the operator, or the bytes are not those of a `Key` or `Value`; those
/// that change broadcast state, outside of ``Operator/processBroadcast(_:_:)``.
public struct MapCell<Key: StateCodable, Value: StateCodable>: ~Copyable {
    /// Its index among the states or the broadcast states.
    @usableFromInline let index: UInt32
    @usableFromInline let name: StaticString
    @usableFromInline let frame: UnsafeMutablePointer<Frame>
    /// The record in hand; nil for broadcast state.
    @usableFromInline let record: UInt32?

    // SAFETY: as for Context, which alone makes cells.
    @inlinable
    init(
        _ index: UInt32,
        _ name: StaticString,
        _ frame: UnsafeMutablePointer<Frame>,
        record: UInt32?
    ) {
        self.index = index
        self.name = name
        self.frame = frame
        self.record = record
    }

    /// How many entries there are.
    @inlinable
    public func count() throws -> Int {
        var count: UInt64 = 0
        let code = hostCount(&count)
        if code == APUS_NOT_FOUND { return 0 }
        guard code == APUS_OK else { throw refused(code) }
        return Int(count)
    }

    /// The value of a key; nil when there is no such entry.
    @inlinable
    public func get(_ key: Key) throws -> Value? {
        frame.pointee.keyScratch.replace(with: key)
        var bytes = apus_bytes()
        let code = hostGet(frame.pointee.keyScratch.bytes, &bytes)
        if code == APUS_NOT_FOUND { return nil }
        guard code == APUS_OK else { throw refused(code) }
        return try StateDecoder.value(Value.self, of: Bytes(bytes), name)
    }

    /// Stores a value, replacing the one that the key has.
    @inlinable
    public func set(_ value: Value, for key: Key) throws {
        frame.pointee.keyScratch.replace(with: key)
        frame.pointee.valueScratch.replace(with: value)
        let code = hostPut(frame.pointee.keyScratch.bytes, frame.pointee.valueScratch.bytes)
        guard code == APUS_OK else { throw refused(code) }
    }

    /// Removes an entry.
    ///
    /// - Returns: Whether there was one.
    @inlinable
    @discardableResult
    public func remove(_ key: Key) throws -> Bool {
        frame.pointee.keyScratch.replace(with: key)
        let code = hostRemove(frame.pointee.keyScratch.bytes)
        if code == APUS_NOT_FOUND { return false }
        guard code == APUS_OK else { throw refused(code) }
        return true
    }

    /// Removes all entries.
    @inlinable
    public func clear() throws {
        if let record { return try frame.pointee.clear(index, record, name) }
        let context = frame.pointee.context
        let code = context.pointee.broadcast.pointee.clear(context, index)
        guard code == APUS_OK else { throw refused(code) }
    }

    @usableFromInline
    func refused(_ code: Int32) -> OperatorError {
        if code == APUS_READ_ONLY {
            return OperatorError(
                "broadcast state '\(name)': it can be changed in processBroadcast alone"
            )
        }
        return OperatorError.refused(record == nil ? "broadcast state" : "state", name, code)
    }
}
