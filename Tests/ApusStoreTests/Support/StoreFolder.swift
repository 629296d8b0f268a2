import ApusStore
import ApusTestPlugins
import Synchronization

/// A folder with a database, and files on their way into it.
final class StoreFolder: Sendable {
    let folder: TestFolder
    private let runCount: Atomic<Int> = Atomic(0)

    init() throws {
        folder = try TestFolder()
    }

    var databasePath: String { folder.file("db") }

    func open(_ options: StateDatabase.Options = .init()) throws -> StateDatabase {
        try StateDatabase(path: databasePath, options: options)
    }

    /// Sorts entries into files, whose names are new.
    func write(
        _ buffers: [EntryBuffer],
        fileByteCountMax: Int = SortedRun.fileByteCountMax
    ) throws -> SortedRunResult {
        let number = runCount.add(1, ordering: .relaxed).newValue
        return try SortedRun.write(
            buffers,
            directory: folder.path,
            name: "run-\(number)",
            fileByteCountMax: fileByteCountMax
        )
    }

    /// Sorts entries and ingests them.
    func add(_ database: StateDatabase, _ fill: (EntryBuffer) -> Void) throws {
        let buffer = EntryBuffer()
        fill(buffer)
        try database.ingest(write([buffer]).paths)
    }
}

extension EntryBuffer {
    func put(_ key: [UInt8], _ value: [UInt8]) {
        let place = put(keyByteCount: key.count, valueByteCount: value.count)
        copy(key, to: place.key)
        copy(value, to: place.value)
    }

    func put(_ key: String, _ value: String) {
        put(Array(key.utf8), Array(value.utf8))
    }

    func delete(_ key: [UInt8]) {
        copy(key, to: delete(keyByteCount: key.count))
    }

    func delete(_ key: String) {
        delete(Array(key.utf8))
    }

    func deleteRange(_ from: [UInt8], _ to: [UInt8]) {
        let place = deleteRange(fromByteCount: from.count, toByteCount: to.count)
        copy(from, to: place.from)
        copy(to, to: place.to)
    }

    func deleteRange(_ from: String, _ to: String) {
        deleteRange(Array(from.utf8), Array(to.utf8))
    }

    private func copy(_ bytes: [UInt8], to place: UnsafeMutableRawPointer) {
        bytes.withUnsafeBytes { source in
            if let start = source.baseAddress {
                place.copyMemory(from: start, byteCount: source.count)
            }
        }
    }
}

extension StateDatabase {
    /// What keys have as values, by one lookup.
    func values(_ keys: [[UInt8]]) throws -> [[UInt8]?] {
        let copies = keys.map { key in
            let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: key.count, alignment: 1)
            copy.copyBytes(from: key)
            return UnsafeRawBufferPointer(copy)
        }
        defer { for copy in copies { copy.deallocate() } }
        var values: [[UInt8]?] = []
        var indexes: [Int] = []
        try copies.withUnsafeBufferPointer { copies in
            try get(copies) { index, value in
                indexes.append(index)
                values.append(value.map { Array($0) })
            }
        }
        precondition(indexes == Array(keys.indices), "every key once, in their order")
        return values
    }

    func value(_ key: [UInt8]) throws -> [UInt8]? {
        var found: [UInt8]?
        try key.withUnsafeBytes { key in
            try get(key) { value in found = value.map { Array($0) } }
        }
        return found
    }

    func text(_ key: String) throws -> String? {
        try value(Array(key.utf8)).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The entries of a range.
    func entries(
        from: [UInt8] = [],
        to: [UInt8] = [UInt8](repeating: 0xff, count: 64),
        limit: Int = .max,
        readAheadByteCount: Int = 0
    ) throws -> [StoredEntry] {
        var entries: [StoredEntry] = []
        try from.withUnsafeBytes { from in
            try to.withUnsafeBytes { to in
                try scan(from: from, to: to, readAheadByteCount: readAheadByteCount) { key, value in
                    entries.append(StoredEntry(key: Array(key), value: Array(value)))
                    return entries.count < limit
                }
            }
        }
        return entries
    }

    /// The keys of a range, as text.
    func keys() throws -> [String] {
        try entries().map { String(decoding: $0.key, as: UTF8.self) }
    }
}

/// A key and its value, copied.
struct StoredEntry: Equatable, Sendable {
    var key: [UInt8]
    var value: [UInt8]
}

/// The order of keys.
func isBefore(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    left.lexicographicallyPrecedes(right)
}
