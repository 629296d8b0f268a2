public import CApusPlugin

/// Items that belong to a subtask and not to a key, declared as a property.
///
/// For what an operator has to remember besides its keys: how far it is, what waits to be sent.
/// `context[waiting]` is the list; see ``OperatorStateCell``.  All handlers may read and change it,
/// ``Operator/open(_:)`` first of all, which finds what the checkpoint had.
public struct OperatorState<Element: StateCodable>: Sendable {
    @usableFromInline let index: UInt32
    @usableFromInline let name: StaticString

    /// Declares a list.
    ///
    /// - Parameters:
    ///   - name: `a-z`, `0-9`, `-`; stable for ever, and unlike those of all other states.
    ///   - redistribution: Who gets the items when the job goes on from a checkpoint.
    ///   - version: What the bytes mean, from 1; that of the type unless stated.
    ///   - schema: What the bytes mean, for people.
    ///   - renamedFrom: The name that the state had in older versions of the operator.
    public init(
        _ name: StaticString,
        _ redistribution: Redistribution,
        version: Int? = nil,
        schema: StaticString = "",
        renamedFrom: StaticString = ""
    ) {
        self.name = name
        index = Declarations.note(
            Declarations.OperatorState(
                name: name.description,
                redistribution: redistribution,
                schemaVersion: version ?? Element.schemaVersion,
                schema: schema.description,
                renamedFrom: renamedFrom.description,
                migration: StateMigration(Element.self)
            ),
            in: \.operatorStates
        )
    }
}

/// Who gets the items of an ``OperatorState`` when the job goes on from a checkpoint.
public enum Redistribution: Sendable {
    /// Each item goes to one subtask: back to its own, or, when there are fewer or more subtasks
    /// now, evenly to all, in order.
    case split
    /// Each subtask gets all items, at any parallelism, and keeps what concerns it.
    case union
}

extension Context {
    /// The list.
    @inlinable
    public subscript<Element>(state: OperatorState<Element>) -> OperatorStateCell<Element> {
        OperatorStateCell(state, frame)
    }
}

/// The list of the subtask.
///
/// All operations throw ``OperatorError`` when the state is no stored property of the operator, or
/// the bytes are not those of an `Element`; those that take a position, when it is behind the end.
public struct OperatorStateCell<Element: StateCodable>: ~Copyable {
    @usableFromInline let state: OperatorState<Element>
    @usableFromInline let frame: UnsafeMutablePointer<Frame>

    // SAFETY: as for Context, which alone makes cells.
    @inlinable
    init(_ state: OperatorState<Element>, _ frame: UnsafeMutablePointer<Frame>) {
        self.state = state
        self.frame = frame
    }

    /// How many items there are.
    @inlinable
    public func count() throws -> Int {
        var count: UInt64 = 0
        let context = frame.pointee.context
        let code = context.pointee.operator_state.pointee.count(context, state.index, &count)
        guard code == APUS_OK else { throw refused(code) }
        return Int(count)
    }

    /// The item at a position, from 0.
    @inlinable
    public func get(_ position: Int) throws -> Element {
        var bytes = apus_bytes()
        let context = frame.pointee.context
        // A negative position becomes one that is behind any end.
        let code = context.pointee.operator_state.pointee.get(
            context,
            state.index,
            UInt64(bitPattern: Int64(position)),
            &bytes
        )
        guard code == APUS_OK else { throw refused(code) }
        return try StateDecoder.value(Element.self, of: Bytes(bytes), state.name)
    }

    /// Calls `body` with each item, in order, which may change the list.
    ///
    /// - Throws: What `body` throws.
    @inlinable
    public func walk(_ body: (Element) throws -> Void) throws {
        var position = 0
        while position < (try count()) {
            try body(try get(position))
            position += 1
        }
    }

    /// All items.
    @inlinable
    public func elements() throws -> [Element] {
        var elements: [Element] = []
        try walk { elements.append($0) }
        return elements
    }

    /// Adds an item at the end.
    @inlinable
    public func append(_ element: Element) throws {
        frame.pointee.valueScratch.replace(with: element)
        let bytes = frame.pointee.valueScratch.bytes
        let context = frame.pointee.context
        let code = context.pointee.operator_state.pointee.append(
            context,
            state.index,
            bytes.start,
            UInt64(bytes.count)
        )
        guard code == APUS_OK else { throw refused(code) }
    }

    /// Replaces the item at a position.
    @inlinable
    public func set(_ element: Element, at position: Int) throws {
        frame.pointee.valueScratch.replace(with: element)
        let bytes = frame.pointee.valueScratch.bytes
        let context = frame.pointee.context
        let code = context.pointee.operator_state.pointee.set(
            context,
            state.index,
            UInt64(bitPattern: Int64(position)),
            bytes.start,
            UInt64(bytes.count)
        )
        guard code == APUS_OK else { throw refused(code) }
    }

    /// Removes the items from a position on, so that at most so many are left.
    @inlinable
    public func truncate(to count: Int) throws {
        let context = frame.pointee.context
        let code = context.pointee.operator_state.pointee.truncate(
            context,
            state.index,
            UInt64(max(0, count))
        )
        guard code == APUS_OK else { throw refused(code) }
    }

    /// Removes all items.
    @inlinable
    public func clear() throws { try truncate(to: 0) }

    @usableFromInline
    func refused(_ code: Int32) -> OperatorError {
        if code == APUS_NOT_FOUND {
            return OperatorError("operator state '\(state.name)': the position is behind the end")
        }
        return OperatorError.refused("operator state", state.name, code)
    }
}
