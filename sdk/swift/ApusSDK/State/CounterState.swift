public import CApusPlugin

/// A signed 64-bit sum per key that the host adds to, declared as a property.
///
/// `context[total]` is the sum for the key in hand; see ``CounterCell``.
public struct CounterState: Sendable {
    @usableFromInline let slot: UInt32
    @usableFromInline let name: StaticString

    /// Declares a sum.
    ///
    /// - Parameters:
    ///   - name: `a-z`, `0-9`, `-`; stable for ever.
    ///   - version: What the sum means, from 1.
    ///   - schema: What the sum means, for people.
    ///   - renamedFrom: The name that the state had in older versions of the operator.
    public init(
        _ name: StaticString,
        version: Int = 1,
        schema: StaticString = "",
        renamedFrom: StaticString = ""
    ) {
        self.name = name
        slot = Declarations.note(
            Declarations.State(
                name: name.description,
                kind: APUS_STATE_COUNTER,
                schemaVersion: version,
                fixedByteCount: 0,
                schema: schema.description,
                renamedFrom: renamedFrom.description
            ),
            in: \.states
        )
    }
}

extension Context {
    /// The sum for the key in hand.
    @inlinable
    public subscript(state: CounterState) -> CounterCell {
        CounterCell(state, frame, record)
    }
}

/// A sum for the key in hand.
///
/// All operations throw ``OperatorError`` when there is no key, or the state is no stored property
/// of the operator.
public struct CounterCell: ~Copyable {
    @usableFromInline let state: CounterState
    @usableFromInline let frame: UnsafeMutablePointer<Frame>
    @usableFromInline let record: UInt32

    // SAFETY: as for Context, which alone makes cells.
    @inlinable
    init(_ state: CounterState, _ frame: UnsafeMutablePointer<Frame>, _ record: UInt32) {
        self.state = state
        self.frame = frame
        self.record = record
    }

    /// The sum; 0 when nothing was ever added.
    @inlinable
    public func get() throws -> Int64 {
        var sum: Int64 = 0
        let context = frame.pointee.context
        let code = context.pointee.state.pointee.counter_get(context, state.slot, record, &sum)
        if code == APUS_NOT_FOUND { return 0 }
        guard code == APUS_OK else { throw OperatorError.refused("state", state.name, code) }
        return sum
    }

    /// Adds, wrapping around.
    ///
    /// - Returns: The new sum.
    @inlinable
    @discardableResult
    public func add(_ amount: Int64) throws -> Int64 {
        var sum: Int64 = 0
        let context = frame.pointee.context
        let code = context.pointee.state.pointee.counter_add(
            context,
            state.slot,
            record,
            amount,
            &sum
        )
        guard code == APUS_OK else { throw OperatorError.refused("state", state.name, code) }
        return sum
    }

    /// Forgets the sum.
    @inlinable
    public func clear() throws {
        try frame.pointee.clear(state.slot, record, state.name)
    }
}
