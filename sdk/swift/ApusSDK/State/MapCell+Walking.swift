public import CApusPlugin

extension MapCell {
    /// The first entry; nil when there is none.
    @inlinable
    public func first() throws -> (key: Key, value: Value)? {
        var cursor = apus_cursor_all()
        guard let entry = try next(&cursor) else { return nil }
        return try decode(entry)
    }

    /// Removes the first entry if its key meets a condition.
    ///
    /// To take all entries up to some key in their order, call it until it returns nil.
    ///
    /// - Parameter condition: Whether the entry with this key is wanted; any is unless stated.
    /// - Returns: The entry; nil when there is none, or it is not wanted.
    /// - Throws: What `condition` throws, and ``OperatorError``.
    @inlinable
    public func removeFirst(
        where condition: (Key) throws -> Bool = { _ in true }
    ) throws -> (key: Key, value: Value)? {
        var cursor = apus_cursor_all()
        guard let entry = try next(&cursor) else { return nil }
        let first = try decode(entry)
        guard try condition(first.key) else { return nil }
        try remove(first.key)
        return first
    }

    /// Calls `body` with each entry, in the order of the keys.
    ///
    /// - Throws: ``OperatorError`` when `body` changes the map.
    @inlinable
    public func walk(_ body: (Key, Value) throws -> Void) throws {
        var cursor = apus_cursor_all()
        try follow(&cursor, body)
    }

    /// Calls `body` with each entry whose key is within `lower ..< upper`, in the order of the
    /// keys.
    ///
    /// - Throws: ``OperatorError`` when `body` changes the map.
    @inlinable
    public func walk(
        from lower: Key,
        to upper: Key,
        _ body: (Key, Value) throws -> Void
    ) throws {
        try withScratch { scratch in
            scratch.replace(with: lower)
            let lowerCount = scratch.count
            scratch.encode(upper)
            let bytes = scratch.bytes
            var cursor = apus_cursor_range(
                apus_bytes(bytes[0..<lowerCount]),
                apus_bytes(bytes[lowerCount..<bytes.count])
            )
            try follow(&cursor, body)
        }
    }

    /// Calls `body` with each entry whose key begins with the fields of `prefix`, in the order of
    /// the keys.
    ///
    /// - Throws: ``OperatorError`` when `body` changes the map.
    @inlinable
    public func walk(
        prefix: some StateCodable,
        _ body: (Key, Value) throws -> Void
    ) throws {
        try withScratch { scratch in
            scratch.replace(with: prefix)
            var cursor = apus_cursor_prefix(apus_bytes(scratch.bytes))
            try follow(&cursor, body)
        }
    }

    /// Lends an encoder that nothing else uses, even if `body` walks through another map.
    @inlinable
    func withScratch(_ body: (inout StateEncoder) throws -> Void) throws {
        var scratch = frame.pointee.boundScratch
        frame.pointee.boundScratch = StateEncoder()
        defer {
            frame.pointee.boundScratch.free()
            frame.pointee.boundScratch = scratch
        }
        try body(&scratch)
    }

    @inlinable
    func follow(_ cursor: inout apus_cursor, _ body: (Key, Value) throws -> Void) throws {
        while let entry = try next(&cursor) {
            let (key, value) = try decode(entry)
            try body(key, value)
        }
    }

    @inlinable
    func next(_ cursor: inout apus_cursor) throws -> apus_entry? {
        var entry = apus_entry()
        var count: UInt32 = 0
        let code = hostNext(&cursor, &entry, &count)
        if code == APUS_NOT_FOUND { return nil }
        guard code == APUS_OK else { throw refused(code) }
        return count == 0 ? nil : entry
    }

    @inlinable
    func decode(_ entry: apus_entry) throws -> (key: Key, value: Value) {
        // SAFETY: the bytes are valid until the map is written, which is after this returns.
        (
            try StateDecoder.value(Key.self, of: Bytes(entry.key), name),
            try StateDecoder.value(Value.self, of: Bytes(entry.value), name)
        )
    }
}

extension apus_bytes {
    @inlinable
    init(_ bytes: Bytes) {
        self.init(
            data: bytes.start.assumingMemoryBound(to: UInt8.self),
            len: UInt64(bytes.count)
        )
    }
}
