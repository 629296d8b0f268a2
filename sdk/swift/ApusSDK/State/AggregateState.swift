public import CApusPlugin

/// An aggregate per key, declared as a property of a ``KeyedOperator``.
///
/// ```swift
/// let spent = AggregateState<IntegerSum>("spent")
/// ```
///
/// `context[spent]` is the aggregate for the key in hand; see ``AggregateCell``.  It is kept as a
/// value of a fixed length, so all that holds for a ``ValueState`` holds for it.
public struct AggregateState<Rule: Aggregate>: Sendable {
    @usableFromInline let slot: UInt32
    @usableFromInline let name: StaticString
    @usableFromInline let byteCount: Int

    /// Declares an aggregate.
    ///
    /// - Parameters:
    ///   - name: `a-z`, `0-9`, `-`; stable for ever.
    ///   - version: What the accumulator's bytes mean, from 1.
    public init(_ name: StaticString, version: Int = 1) {
        self.name = name
        byteCount = Rule.Accumulator.fixedByteCount ?? 0
        slot = Declarations.note(
            Declarations.State(
                name: name.description,
                kind: APUS_STATE_VALUE,
                schemaVersion: version,
                fixedByteCount: byteCount > 0 ? byteCount : Declarations.missingByteCount,
                schema: Rule.schema.description
            ),
            in: \.states
        )
    }

    @usableFromInline
    func wrongByteCount(_ count: Int) -> OperatorError {
        OperatorError(
            "state '\(name)': an accumulator was encoded in \(count) bytes, but the type's "
                + "fixedByteCount is \(byteCount)"
        )
    }
}

extension Context {
    /// The aggregate for the key in hand.
    @inlinable
    public subscript<Rule>(state: AggregateState<Rule>) -> AggregateCell<Rule> {
        AggregateCell(state, frame, record)
    }
}

/// An aggregate for the key in hand.
///
/// All operations throw ``OperatorError`` when there is no key, the state is no stored property of
/// the operator, or the bytes are not those of an accumulator.
public struct AggregateCell<Rule: Aggregate>: ~Copyable {
    @usableFromInline let state: AggregateState<Rule>
    @usableFromInline let frame: UnsafeMutablePointer<Frame>
    @usableFromInline let record: UInt32

    // SAFETY: as for Context, which alone makes cells.
    @inlinable
    init(
        _ state: AggregateState<Rule>,
        _ frame: UnsafeMutablePointer<Frame>,
        _ record: UInt32
    ) {
        self.state = state
        self.frame = frame
        self.record = record
    }

    /// Folds an input in.
    ///
    /// - Returns: The result with it.
    /// - Throws: What the rule throws besides; the accumulator is as it was then.
    @inlinable
    @discardableResult
    public func add(_ input: Rule.Input) throws -> Rule.Result {
        let context = frame.pointee.context
        var pointer: UnsafeMutableRawPointer?
        var isNew: UInt8 = 0
        let code = context.pointee.state.pointee.value_mut_many(
            context,
            state.slot,
            record,
            1,
            &pointer,
            &isNew
        )
        guard code == APUS_OK else { throw OperatorError.refused("state", state.name, code) }
        guard let pointer else {
            throw OperatorError.refused("state", state.name, APUS_UNSUPPORTED)
        }
        do {
            return try state.fold(input, at: pointer, isNew: isNew == 1, frame)
        } catch {
            // Zero need not be an accumulator, so a new one must not stay.
            if isNew == 1 { try frame.pointee.clear(state.slot, record, state.name) }
            throw error
        }
    }

    /// What the inputs so far come to; nil when there were none.
    ///
    /// - Throws: What the rule throws besides.
    @inlinable
    public func result() throws -> Rule.Result? {
        var bytes = apus_bytes()
        let context = frame.pointee.context
        let code = context.pointee.state.pointee.value_get(context, state.slot, record, &bytes)
        if code == APUS_NOT_FOUND { return nil }
        guard code == APUS_OK else { throw OperatorError.refused("state", state.name, code) }
        return try Rule.result(
            of: StateDecoder.value(Rule.Accumulator.self, of: Bytes(bytes), state.name)
        )
    }

    /// Forgets all inputs.
    @inlinable
    public func clear() throws {
        try frame.pointee.clear(state.slot, record, state.name)
    }
}

extension AggregateCell where Rule.Input == Void {
    /// Folds the record in.
    ///
    /// - Returns: The result with it.
    @inlinable
    @discardableResult
    public func add() throws -> Rule.Result { try add(()) }
}

extension AggregateState {
    /// Folds each record of a batch in, in order.
    ///
    /// The host looks up many accumulators at once, which for millions of keys is several times
    /// faster than one by one.  To be used once in a batch handler, in the way of
    /// ``Batch/handleEach(_:)``.  The closures must not use this state by way of the context.
    ///
    /// - Parameters:
    ///   - batch: The batch in hand.
    ///   - input: Reads from a record what is to be folded in.
    ///   - body: Handles the record with the new result.
    /// - Throws: What the closures and the rule throw; nothing is kept of that record.
    ///   ``OperatorError`` as for an ``AggregateCell``, and when a record has no key.
    @inlinable
    public func addEach(
        in batch: borrowing Batch,
        _ input: (borrowing Record) throws -> Rule.Input,
        then body: (borrowing Record, borrowing Context, Rule.Result) throws -> Void
    ) throws {
        let (frame, records) = (batch.frame, batch.batch)
        let count = records.pointee.count
        var start = frame.pointee.first
        while start < count {
            let end = min(count, start + UInt32(Frame.chunkCount))
            try frame.pointee.find(slot, start, end, name)
            // On every way out, the accumulators that were made for records not reached go again.
            var reached = start
            defer { frame.pointee.forget(slot, from: reached, to: end, chunk: start) }
            while reached < end {
                let index = Int(reached - start)
                guard let pointer = frame.pointee.many.pointers[index] else {
                    throw OperatorError.refused("state", name, APUS_UNSUPPORTED)
                }
                frame.pointee.take(reached)
                let accumulator = try folded(
                    input(Record(records, Int(reached))),
                    at: pointer,
                    isNew: frame.pointee.many.created[index] == 1
                )
                try body(
                    Record(records, Int(reached)),
                    Context(frame, reached),
                    Rule.result(of: accumulator)
                )
                try store(accumulator, at: pointer, frame)
                reached += 1
                guard frame.pointee.settle() else { return }
            }
            start = end
        }
    }

    @inlinable
    func fold(
        _ input: Rule.Input,
        at pointer: UnsafeMutableRawPointer,
        isNew: Bool,
        _ frame: UnsafeMutablePointer<Frame>
    ) throws -> Rule.Result {
        let accumulator = try folded(input, at: pointer, isNew: isNew)
        let result = try Rule.result(of: accumulator)
        try store(accumulator, at: pointer, frame)
        return result
    }

    @inlinable
    func folded(
        _ input: Rule.Input,
        at pointer: UnsafeMutableRawPointer,
        isNew: Bool
    ) throws -> Rule.Accumulator {
        // SAFETY: a fixed-length slot has this many bytes, and stays where it is until the same
        // slot of the same key is written or cleared.
        var accumulator =
            isNew
            ? Rule.empty
            : try StateDecoder.value(
                Rule.Accumulator.self,
                of: Bytes(start: pointer, count: byteCount),
                name
            )
        try Rule.add(input, to: &accumulator)
        return accumulator
    }

    @inlinable
    func store(
        _ accumulator: Rule.Accumulator,
        at pointer: UnsafeMutableRawPointer,
        _ frame: UnsafeMutablePointer<Frame>
    ) throws {
        frame.pointee.valueScratch.replace(with: accumulator)
        let bytes = frame.pointee.valueScratch.bytes
        guard bytes.count == byteCount else { throw wrongByteCount(bytes.count) }
        // SAFETY: as above.
        pointer.copyMemory(from: bytes.start, byteCount: bytes.count)
    }
}
