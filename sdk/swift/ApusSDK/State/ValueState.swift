public import CApusPlugin

/// One value per key, declared as a property of a ``KeyedOperator``.
///
/// `context[visits]` is the value for the key in hand; see ``ValueCell``.
public struct ValueState<Value: StateCodable>: Sendable {
    @usableFromInline let slot: UInt32
    @usableFromInline let name: StaticString
    /// The length of all values; 0 when they differ.
    @usableFromInline let fixedByteCount: Int

    /// Declares a value.
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
        fixedByteCount = Value.fixedByteCount ?? 0
        slot = Declarations.note(
            Declarations.State(
                name: name.description,
                kind: APUS_STATE_VALUE,
                schemaVersion: version ?? Value.schemaVersion,
                fixedByteCount: fixedByteCount,
                schema: schema.description,
                renamedFrom: renamedFrom.description,
                migration: StateMigration(Value.self)
            ),
            in: \.states
        )
    }

    @usableFromInline
    func wrongByteCount(_ count: Int) -> OperatorError {
        OperatorError(
            "state '\(name)': a value was encoded in \(count) bytes, but the type's "
                + "fixedByteCount is \(fixedByteCount)"
        )
    }
}

extension Context {
    /// The value for the key in hand.
    @inlinable
    public subscript<Value>(state: ValueState<Value>) -> ValueCell<Value> {
        ValueCell(state, frame, record)
    }
}

/// A value for the key in hand.
///
/// All operations throw ``OperatorError`` when there is no key, the state is no stored property of
/// the operator, or the bytes are not those of a `Value`.
public struct ValueCell<Value: StateCodable>: ~Copyable {
    @usableFromInline let state: ValueState<Value>
    @usableFromInline let frame: UnsafeMutablePointer<Frame>
    @usableFromInline let record: UInt32

    // SAFETY: as for Context, which alone makes cells.
    @inlinable
    init(_ state: ValueState<Value>, _ frame: UnsafeMutablePointer<Frame>, _ record: UInt32) {
        self.state = state
        self.frame = frame
        self.record = record
    }

    /// The value; nil when there is none.
    @inlinable
    public func get() throws -> Value? {
        var bytes = apus_bytes()
        let context = frame.pointee.context
        let code = context.pointee.state.pointee.value_get(context, state.slot, record, &bytes)
        if code == APUS_NOT_FOUND { return nil }
        guard code == APUS_OK else { throw OperatorError.refused("state", state.name, code) }
        return try StateDecoder.value(Value.self, of: Bytes(bytes), state.name)
    }

    /// Stores a value.
    @inlinable
    public func set(_ value: Value) throws {
        frame.pointee.valueScratch.replace(with: value)
        let bytes = frame.pointee.valueScratch.bytes
        guard state.fixedByteCount == 0 || bytes.count == state.fixedByteCount else {
            throw state.wrongByteCount(bytes.count)
        }
        let context = frame.pointee.context
        let code = context.pointee.state.pointee.value_put(
            context,
            state.slot,
            record,
            bytes.start,
            UInt64(bytes.count)
        )
        guard code == APUS_OK else { throw OperatorError.refused("state", state.name, code) }
    }

    /// Changes the value, or the default if there is none, and stores it.
    ///
    /// Nothing is stored when `body` throws.
    @inlinable
    public func modify<Result>(
        default initial: @autoclosure () -> Value,
        _ body: (inout Value) throws -> Result
    ) throws -> Result {
        var value = try get() ?? initial()
        let result = try body(&value)
        try set(value)
        return result
    }

    /// Forgets the value.
    @inlinable
    public func clear() throws {
        try frame.pointee.clear(state.slot, record, state.name)
    }
}

extension Bytes {
    @inlinable
    init(_ bytes: apus_bytes) {
        self.init(start: bytes.data, count: Int(bytes.len))
    }
}

extension Frame {
    /// Forgets a slot of the record's key.
    @inlinable
    func clear(_ slot: UInt32, _ record: UInt32, _ name: StaticString) throws {
        let code = context.pointee.state.pointee.clear(context, slot, record)
        guard code == APUS_OK || code == APUS_NOT_FOUND else {
            throw OperatorError.refused("state", name, code)
        }
    }
}
