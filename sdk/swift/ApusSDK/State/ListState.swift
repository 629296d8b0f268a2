public import CApusPlugin

/// Values per key in the order in which they were appended, declared as a property.
///
/// `context[items]` is the list for the key in hand; see ``ListCell``.
public struct ListState<Element: StateCodable>: Sendable {
    @usableFromInline let slot: UInt32
    @usableFromInline let name: StaticString

    /// Declares a list.
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
                kind: APUS_STATE_LIST,
                schemaVersion: version ?? Element.schemaVersion,
                fixedByteCount: 0,
                schema: schema.description,
                renamedFrom: renamedFrom.description,
                migration: StateMigration(Element.self)
            ),
            in: \.states
        )
    }
}

extension Context {
    /// The list for the key in hand.
    @inlinable
    public subscript<Element>(state: ListState<Element>) -> ListCell<Element> {
        ListCell(state, frame, record)
    }
}

/// A list for the key in hand.
///
/// All operations throw ``OperatorError`` when there is no key, the state is no stored property of
/// the operator, or the bytes are not those of an `Element`.
public struct ListCell<Element: StateCodable>: ~Copyable {
    @usableFromInline let state: ListState<Element>
    @usableFromInline let frame: UnsafeMutablePointer<Frame>
    @usableFromInline let record: UInt32

    // SAFETY: as for Context, which alone makes cells.
    @inlinable
    init(_ state: ListState<Element>, _ frame: UnsafeMutablePointer<Frame>, _ record: UInt32) {
        self.state = state
        self.frame = frame
        self.record = record
    }

    /// How many elements there are.
    @inlinable
    public func count() throws -> Int {
        var count: UInt64 = 0
        let context = frame.pointee.context
        let code = context.pointee.state.pointee.list_count(context, state.slot, record, &count)
        if code == APUS_NOT_FOUND { return 0 }
        guard code == APUS_OK else { throw OperatorError.refused("state", state.name, code) }
        return Int(count)
    }

    /// Appends an element.
    @inlinable
    public func append(_ element: Element) throws {
        frame.pointee.valueScratch.replace(with: element)
        let bytes = frame.pointee.valueScratch.bytes
        let context = frame.pointee.context
        let code = context.pointee.state.pointee.list_append(
            context,
            state.slot,
            record,
            bytes.start,
            UInt64(bytes.count)
        )
        guard code == APUS_OK else { throw OperatorError.refused("state", state.name, code) }
    }

    /// Calls `body` with each element, in order, which must not change the list.
    @inlinable
    public func walk(_ body: (Element) throws -> Void) throws {
        var cursor = apus_cursor_all()
        var bytes = apus_bytes()
        var count: UInt32 = 0
        let context = frame.pointee.context
        while true {
            // SAFETY: there is room for the one element that is asked for.
            let code = context.pointee.state.pointee.list_next(
                context,
                state.slot,
                record,
                &cursor,
                &bytes,
                1,
                &count
            )
            if code == APUS_NOT_FOUND || (code == APUS_OK && count == 0) { return }
            guard code == APUS_OK else { throw OperatorError.refused("state", state.name, code) }
            try body(try StateDecoder.value(Element.self, of: Bytes(bytes), state.name))
        }
    }

    /// All elements.
    @inlinable
    public func elements() throws -> [Element] {
        var elements: [Element] = []
        try walk { elements.append($0) }
        return elements
    }

    /// Forgets all elements.
    @inlinable
    public func clear() throws {
        try frame.pointee.clear(state.slot, record, state.name)
    }
}
