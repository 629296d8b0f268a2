package import ApusCheckpoint
package import ApusCore
package import ApusState
import ApusStore

/// Reads the state of a checkpoint.
///
/// The checkpoint's files are linked into a temporary folder, and a database is opened there; the
/// checkpoint itself is never changed.  One thread.
package final class StateSnapshotReader {
    /// The checkpoint.
    package let manifest: Manifest
    /// Its operators.
    package let directory: OperatorDirectory
    private let state: TemporaryState
    private let place: TemporaryPlace?
    private let folder: CheckpointFolder
    private let disk: any Disk
    var database: StateDatabase { state.database }

    /// Opens the state of a checkpoint.
    ///
    /// - Parameters:
    ///   - folder: The checkpoint's folder.
    ///   - manifest: The checkpoint.
    ///   - workDirectory: Where the temporary folder goes; nil puts it beside the checkpoint
    ///     folder, which is the file system where links are possible.
    ///   - disk: The seam to files.
    ///   - entropy: Gives the temporary folder its name.
    /// - Throws: ``StateToolError``: the checkpoint is damaged, or the disk refuses.
    package init(
        _ folder: CheckpointFolder,
        _ manifest: Manifest,
        workDirectory: String? = nil,
        disk: any Disk,
        entropy: any Entropy
    ) throws(StateToolError) {
        self.manifest = manifest
        directory = OperatorDirectory(manifest)
        let start = workDirectory.map { $0 + "/apus-read-" } ?? folder.path + ".apus-read-"
        let place = try TemporaryPlace(start, disk: disk, entropy: entropy)
        state = try TemporaryState(folder, manifest, at: place.path, disk: disk)
        self.place = place
        self.folder = folder
        self.disk = disk
    }

    /// Reads a database that somebody else opened, of a checkpoint in this folder.
    init(
        _ state: TemporaryState,
        _ manifest: Manifest,
        _ folder: CheckpointFolder,
        disk: any Disk
    ) {
        self.manifest = manifest
        self.state = state
        place = nil
        self.folder = folder
        self.disk = disk
        directory = OperatorDirectory(manifest)
    }

    /// Closes the database and removes the temporary folder; the second time does nothing.
    ///
    /// - Throws: ``StateToolError`` when the disk refuses.
    package func close() throws(StateToolError) {
        try state.close()
        try place?.close()
    }

    // MARK: - Broadcast and operator state

    /// The broadcast state of an operator, or of all that have some.
    ///
    /// - Parameter wanted: The operator; nil for all.
    /// - Returns: What each of them has.
    /// - Throws: ``StateToolError`` when a file is damaged.
    package func broadcasts(
        of wanted: UInt16? = nil
    ) throws(StateToolError) -> [BroadcastContent] {
        var contents: [BroadcastContent] = []
        for state in manifest.operators where wanted == nil || wanted == state.number {
            if let found = try BroadcastContent(state, in: ownFiles) { contents.append(found) }
        }
        return contents
    }

    /// The operator state of an operator, or of all that have some.
    ///
    /// - Parameter wanted: The operator; nil for all.
    /// - Returns: What each of them has.
    /// - Throws: ``StateToolError`` when a file is damaged.
    package func operatorStates(
        of wanted: UInt16? = nil
    ) throws(StateToolError) -> [OperatorStateContent] {
        var contents: [OperatorStateContent] = []
        for state in manifest.operators where wanted == nil || wanted == state.number {
            if let found = try OperatorStateContent(state, in: ownFiles) { contents.append(found) }
        }
        return contents
    }

    private var ownFiles: OwnFileReader {
        let folder = folder
        return OwnFileReader(files: manifest.files, disk: disk) { folder.path(of: $0) }
    }

    // MARK: - Everything

    /// Goes through all entries in the order of their keys, until `body` returns false.
    ///
    /// - Throws: ``StateToolError`` when a file is damaged, and what `body` throws.
    package func forEachEntry(
        _ body: (StoredKey, StateEntry) throws(StateToolError) -> Bool
    ) throws(StateToolError) {
        try database.scanEntries(from: [], to: StoredKey.end, isLong: true) {
            (entry) throws(StateToolError) in
            guard let key = StoredKey(entry.key) else {
                throw damage("the key 0x\(ByteText.hexadecimal(entry.key))")
            }
            return try body(key, entry)
        }
    }

    /// Goes through all keys, group by group, in a group operator by operator.
    ///
    /// Remembers the keys of one group and operator at a time.
    ///
    /// - Parameters:
    ///   - wanted: The operator; nil for all.
    ///   - body: Called with each key.
    /// - Returns: How many entries of lists and maps belong to no key.
    /// - Throws: ``StateToolError`` when a file is damaged, and what `body` throws.
    @discardableResult
    package func forEachKey(
        of wanted: UInt16? = nil,
        _ body: (KeySummary) throws(StateToolError) -> Void
    ) throws(StateToolError) -> Int {
        var chunk = KeyChunk(directory)
        try forEachEntry { (stored, entry) throws(StateToolError) in
            switch stored {
            case .row(let group, let number, let key):
                guard wanted == nil || wanted == number else { return true }
                if !chunk.isOf(group, number) {
                    try chunk.flush(body)
                    chunk.begin(group, number)
                }
                chunk.add(key, try row(entry), entry)
            case .entry(let group, let number, let slot, let key, _):
                guard wanted == nil || wanted == number else { return true }
                if !chunk.isOf(group, number) {
                    try chunk.flush(body)
                    chunk.begin(group, number)
                }
                guard chunk.add(slot, key, entry) else { throw damage("a list") }
            case .wake: return false
            }
            return true
        }
        try chunk.flush(body)
        return chunk.orphanCount
    }

    // MARK: - One key

    /// Everything that an operator holds for a key; nil when nothing.
    ///
    /// - Throws: ``StateToolError`` when a file is damaged.
    package func content(
        of key: [UInt8],
        operatorNumber: UInt16
    ) throws(StateToolError) -> KeyContent? {
        let group = StoredKey.group(of: key, groupCount: manifest.maxParallelism)
        let stored = StoredKey.row(group: group, operatorNumber: operatorNumber, key: key).bytes
        guard let value = try database.value(of: stored) else { return nil }
        return try content(
            group,
            operatorNumber,
            key,
            StateEntry(key: stored, value: value)
        )
    }

    /// Everything that belongs to a row.
    func content(
        _ group: Int,
        _ operatorNumber: UInt16,
        _ key: [UInt8],
        _ entry: StateEntry
    ) throws(StateToolError) -> KeyContent {
        var content = KeyContent(
            operatorNumber: operatorNumber,
            group: group,
            key: key,
            row: try row(entry),
            byteCount: entry.key.count + entry.value.count
        )
        for value in content.row.values where value.bytes.isEmpty {
            let kind = directory.kind(operatorNumber, value.slot)
            guard kind != .value, kind != .counter else { continue }
            let prefix = StoredKey.prefix(group, operatorNumber, slot: value.slot, key: key)
            var values: [[UInt8]] = []
            var entries: [StateEntry] = []
            try database.scanEntries(from: prefix, to: StoredKey.end(of: prefix)) {
                (entry) throws(StateToolError) in
                content.byteCount += entry.key.count + entry.value.count
                if kind == .list {
                    guard let some = StoredRow.listValues(ofSegment: entry.value) else {
                        throw damage("a list")
                    }
                    values += some
                } else {
                    let suffix = Array(entry.key.dropFirst(prefix.count))
                    entries.append(StateEntry(key: suffix, value: entry.value))
                }
                return true
            }
            // A value of a state that nobody declares any more may just be empty.
            if kind == .unknown, entries.isEmpty { continue }
            content.collections[value.slot] = kind == .list ? .list(values) : .map(entries)
        }
        return content
    }

    /// Goes through everything of all keys, in the order of ``forEachKey(of:_:)``.
    ///
    /// - Parameters:
    ///   - wanted: The operator; nil for all.
    ///   - body: Called with the content of each key, until it returns false.
    /// - Throws: ``StateToolError`` when a file is damaged, and what `body` throws.
    package func forEachContent(
        of wanted: UInt16? = nil,
        _ body: (KeyContent) throws(StateToolError) -> Bool
    ) throws(StateToolError) {
        try forEachEntry { (stored, entry) throws(StateToolError) in
            switch stored {
            case .row(let group, let number, let key):
                guard wanted == nil || wanted == number else { return true }
                return try body(try content(group, number, key, entry))
            case .entry: return true
            case .wake: return false
            }
        }
    }

    /// The first keys of an operator in their order, over all groups.
    ///
    /// - Parameters:
    ///   - operatorNumber: The operator.
    ///   - prefix: What the keys begin with.
    ///   - from: The least key.
    ///   - limit: How many at most.
    /// - Returns: What they have.
    /// - Throws: ``StateToolError`` when a file is damaged.
    package func keys(
        of operatorNumber: UInt16,
        prefix: [UInt8] = [],
        from: [UInt8] = [],
        limit: Int
    ) throws(StateToolError) -> [KeyContent] {
        let start = from.lexicographicallyPrecedes(prefix) ? prefix : from
        var rows: [(group: Int, key: [UInt8], entry: StateEntry)] = []
        for group in 0..<manifest.maxParallelism {
            var count = 0
            let end = StoredKey.prefix(group: group, operatorNumber: operatorNumber) + [1]
            try database.scanEntries(
                from: StoredKey.row(group: group, operatorNumber: operatorNumber, key: start).bytes,
                to: end
            ) { (entry) throws(StateToolError) in
                let key = Array(entry.key.dropFirst(5))
                guard key.starts(with: prefix), count < limit else { return false }
                count += 1
                rows.append((group, key, entry))
                return true
            }
            if rows.count > 4 * limit + 1024 { Self.shorten(&rows, to: limit) }
        }
        Self.shorten(&rows, to: limit)
        var contents: [KeyContent] = []
        for row in rows {
            contents.append(try content(row.group, operatorNumber, row.key, row.entry))
        }
        return contents
    }

    /// The numbers of the operators that have state, those that nobody declares any more too.
    package func operatorNumbers() throws(StateToolError) -> [UInt16] {
        var numbers = Set(directory.operators.map(\.number))
        try forEachKey { (key) throws(StateToolError) in numbers.insert(key.operatorNumber) }
        return numbers.sorted()
    }

    private static func shorten(
        _ rows: inout [(group: Int, key: [UInt8], entry: StateEntry)],
        to limit: Int
    ) {
        rows.sort { $0.key.lexicographicallyPrecedes($1.key) }
        if rows.count > limit { rows.removeLast(rows.count - limit) }
    }

    func row(_ entry: StateEntry) throws(StateToolError) -> StoredRow {
        guard let row = StoredRow(entry.value) else {
            throw damage("the row 0x\(ByteText.hexadecimal(entry.key))")
        }
        return row
    }

    func damage(_ what: String) -> StateToolError {
        StateToolError(
            .input,
            "checkpoint \(manifest.number): its state is damaged, or a newer Apus wrote it: "
                + "\(what) is not what this version (\(manifest.writerVersion) wrote it) writes; "
                + "restore an earlier checkpoint"
        )
    }
}

/// The keys of one group and operator, while their entries go by.
private struct KeyChunk {
    private let directory: OperatorDirectory
    private var group = -1
    private var operatorNumber: UInt16 = 0
    private var keys: [KeySummary] = []
    private var indexes: [[UInt8]: Int] = [:]
    private(set) var orphanCount = 0

    init(_ directory: OperatorDirectory) {
        self.directory = directory
    }

    func isOf(_ group: Int, _ operatorNumber: UInt16) -> Bool {
        self.group == group && self.operatorNumber == operatorNumber
    }

    mutating func begin(_ group: Int, _ operatorNumber: UInt16) {
        self.group = group
        self.operatorNumber = operatorNumber
    }

    mutating func flush(
        _ body: (KeySummary) throws(StateToolError) -> Void
    ) throws(StateToolError) {
        for key in keys { try body(key) }
        keys.removeAll(keepingCapacity: true)
        indexes.removeAll(keepingCapacity: true)
    }

    mutating func add(_ key: [UInt8], _ row: StoredRow, _ entry: StateEntry) {
        var summary = KeySummary(
            operatorNumber,
            group: group,
            key: key,
            row: row,
            byteCount: entry.key.count + entry.value.count
        )
        for slot in summary.slots.keys where !isCollection(slot) {
            summary.slots[slot]?.entryCount = 1
        }
        keys.append(summary)
    }

    private func isCollection(_ slot: Int) -> Bool {
        switch directory.kind(operatorNumber, slot) {
        case .list, .map, .unknown: true
        case .value, .counter: false
        }
    }

    /// Adds an entry of a list or map; false when it is damaged.
    mutating func add(_ slot: Int, _ key: [UInt8], _ entry: StateEntry) -> Bool {
        // Rows come before what hangs off them; many operators have nothing that does.
        if indexes.isEmpty {
            for (index, summary) in keys.enumerated() { indexes[summary.key] = index }
        }
        var count = 1
        if directory.kind(operatorNumber, slot) == .list {
            guard let values = StoredRow.listValues(ofSegment: entry.value) else { return false }
            count = values.count
        }
        guard let index = indexes[key], keys[index].slots[slot] != nil else {
            orphanCount += 1
            return true
        }
        let byteCount = entry.key.count + entry.value.count
        keys[index].byteCount += byteCount
        keys[index].slots[slot]?.entryCount += count
        keys[index].slots[slot]?.byteCount += byteCount
        return true
    }
}
