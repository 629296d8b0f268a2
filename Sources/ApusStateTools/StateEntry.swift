import ApusStore

/// An entry of the state database.
package struct StateEntry: Equatable, Sendable {
    /// The key.
    package var key: [UInt8]
    /// The value.
    package var value: [UInt8]

    /// Creates an entry.
    package init(key: [UInt8], value: [UInt8]) {
        self.key = key
        self.value = value
    }
}

// SAFETY: arrays lend their bytes during a call; what the database lends during a callback is
// copied into arrays there.
extension StateDatabase {
    /// What long scans read at once from the files.
    static let readAheadByteCount = 2 << 20

    /// Goes through a range of keys in their order, until `body` returns false or throws.
    func scanEntries(
        from: [UInt8],
        to: [UInt8],
        isLong: Bool = false,
        _ body: (StateEntry) throws(StateToolError) -> Bool
    ) throws(StateToolError) {
        var failure: StateToolError?
        try StateToolError.onStore(
            try from.span.bytes.withUnsafeBytes { from throws(StoreError) in
                try to.span.bytes.withUnsafeBytes { to throws(StoreError) in
                    try scan(
                        from: from,
                        to: to,
                        readAheadByteCount: isLong ? Self.readAheadByteCount : 0
                    ) { key, value in
                        do throws(StateToolError) {
                            return try body(StateEntry(key: Array(key), value: Array(value)))
                        } catch {
                            failure = error
                            return false
                        }
                    }
                }
            }
        )
        if let failure { throw failure }
    }

    /// The value of a key; nil when it has none.
    func value(of key: [UInt8]) throws(StateToolError) -> [UInt8]? {
        var found: [UInt8]?
        try StateToolError.onStore(
            try key.span.bytes.withUnsafeBytes { key throws(StoreError) in
                try get(key) { value in found = value.map { Array($0) } }
            }
        )
        return found
    }
}

extension EntryBuffer {
    /// Appends an entry that gives a key a value.
    func put(_ key: [UInt8], _ value: [UInt8]) {
        let target = put(keyByteCount: key.count, valueByteCount: value.count)
        Self.copy(key, to: target.key)
        Self.copy(value, to: target.value)
    }

    /// Appends an entry that takes a key's value away.
    func delete(_ key: [UInt8]) {
        Self.copy(key, to: delete(keyByteCount: key.count))
    }

    /// Appends an entry that takes away the values of all keys with `from` <= key < `to`.
    func deleteRange(from: [UInt8], to: [UInt8]) {
        let target = deleteRange(fromByteCount: from.count, toByteCount: to.count)
        Self.copy(from, to: target.from)
        Self.copy(to, to: target.to)
    }

    private static func copy(_ bytes: [UInt8], to target: UnsafeMutableRawPointer) {
        // SAFETY: the buffer has made room for exactly these bytes.
        bytes.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { return }
            target.copyMemory(from: start, byteCount: bytes.count)
        }
    }
}
