import ApusCheckpoint
import ApusState

/// Lines of broadcast and operator state on their way into a checkpoint: `apus state import`.
///
/// An entry of broadcast state takes the place of the one with its key.  The items of an operator
/// state take the place of all that its subtasks have together.
struct OwnStateMerge {
    /// The lines that add something, or replace something.
    private(set) var appliedCount = 0
    /// The lines that were left out, because there is something already.
    private(set) var keptCount = 0

    private let reader: StateSnapshotReader
    private let existing: StateImport.Existing
    private var broadcasts: [UInt16: Maps] = [:]
    private var lists: [UInt16: Lists] = [:]

    /// The maps of an operator.
    private struct Maps {
        var content: BroadcastContent
        /// What each of them holds.
        var entries: [[[UInt8]: [UInt8]]]
        var isChanged = false
    }

    /// The lists of an operator.
    private struct Lists {
        let old: OperatorStateContent
        var content: OperatorStateContent
        /// The lists that lines have begun to replace, or would.
        var begun: Set<Int> = []
        var isChanged = false
    }

    /// Creates a merge without lines.
    init(_ reader: StateSnapshotReader, _ existing: StateImport.Existing) {
        self.reader = reader
        self.existing = existing
    }

    /// Adds a line, whose kind is "broadcast" or "operator".
    ///
    /// - Throws: ``StateToolError`` that says what is wrong with it.
    mutating func add(_ line: ExportLine) throws(StateToolError) {
        guard let name = line.operator, let state = line.state else {
            throw Self.wrong("'\(line.operator == nil ? "operator" : "state")' is missing")
        }
        guard let value = try line.bytes("value", line.value, line.valueHex) else {
            throw Self.wrong("'value' is missing")
        }
        let number = try reader.directory.number(name)
        let isApplied =
            line.kind == "broadcast"
            ? try addEntry(line, number, state, value) : try addItem(line, number, state, value)
        if isApplied { appliedCount += 1 } else { keptCount += 1 }
    }

    // MARK: - Broadcast state

    private mutating func addEntry(
        _ line: ExportLine,
        _ number: UInt16,
        _ state: String,
        _ value: [UInt8]
    ) throws(StateToolError) -> Bool {
        guard let key = try line.bytes("mapKey", line.mapKey, line.mapKeyHex) else {
            throw Self.wrong("'mapKey' is missing")
        }
        if broadcasts[number] == nil { broadcasts[number] = try maps(of: number) }
        let maps = broadcasts[number]?.content.maps ?? []
        let index = try find(state, maps.map(\.name), "broadcast state", number)
        try check(line, maps[index].schemaVersion, state)
        if existing == .keep, broadcasts[number]?.entries[index][key] != nil { return false }
        broadcasts[number]?.entries[index][key] = value
        broadcasts[number]?.isChanged = true
        return true
    }

    private func maps(of number: UInt16) throws(StateToolError) -> Maps? {
        guard let content = try reader.broadcasts(of: number).first else { return nil }
        let entries = content.maps.map { map in
            Dictionary(map.entries.map { ($0.key, $0.value) }) { first, _ in first }
        }
        return Maps(content: content, entries: entries)
    }

    // MARK: - Operator state

    private mutating func addItem(
        _ line: ExportLine,
        _ number: UInt16,
        _ state: String,
        _ value: [UInt8]
    ) throws(StateToolError) -> Bool {
        guard let subtask = line.subtask, let position = line.index else {
            throw Self.wrong("'\(line.subtask == nil ? "subtask" : "index")' is missing")
        }
        if lists[number] == nil {
            let content = try reader.operatorStates(of: number).first
            lists[number] = content.map { Lists(old: $0, content: $0) }
        }
        // Alone with its items, which would be copied with each line otherwise.
        var current = lists.removeValue(forKey: number)
        defer { lists[number] = current }
        let declared = current?.content.lists ?? []
        let index = try find(state, declared.map(\.name), "operator state", number)
        try check(line, declared[index].schemaVersion, state)
        let subtaskCount = declared[index].subtasks.count
        guard (0..<subtaskCount).contains(subtask) else {
            throw Self.wrong(
                "'subtask': expected 0 to \(subtaskCount - 1), the subtasks that the operator "
                    + "'\(reader.directory.name(number))' has in the checkpoint, found \(subtask); "
                    + "who gets the items is decided when the job goes on"
            )
        }
        if current?.begun.insert(index).inserted == true {
            let empty = Array(repeating: OperatorStateItems(), count: subtaskCount)
            current?.content.lists[index].subtasks = empty
        }
        let count = current?.content.lists[index].subtasks[subtask].count ?? 0
        guard position == count else {
            throw Self.wrong(
                "expected index \(count) of '\(state)' in subtask \(subtask), found \(position); "
                    + "items come in their order, from index 0 on"
            )
        }
        current?.content.lists[index].subtasks[subtask].append(value)
        guard existing == .replace || current?.old.lists[index].itemCount == 0 else { return false }
        current?.isChanged = true
        return true
    }

    // MARK: - Into the checkpoint

    /// Makes the changes.
    func apply(to edit: StateEdit) {
        for maps in broadcasts.values where maps.isChanged {
            var content = maps.content
            for (index, entries) in maps.entries.enumerated() {
                content.maps[index].entries =
                    entries.sorted { $0.key.lexicographicallyPrecedes($1.key) }
                    .map { BroadcastEntry(key: $0.key, value: $0.value) }
            }
            edit.replace(content)
        }
        for lists in lists.values where lists.isChanged {
            var content = lists.content
            // What is kept has lines that were checked and left out.
            for (index, old) in lists.old.lists.enumerated()
            where existing == .keep && old.itemCount > 0 {
                content.lists[index] = old
            }
            edit.replace(content)
        }
    }

    // MARK: - Checks

    private func find(
        _ state: String,
        _ names: [String],
        _ kind: String,
        _ number: UInt16
    ) throws(StateToolError) -> Int {
        if let index = names.firstIndex(of: state) { return index }
        throw Self.wrong(
            "operator '\(reader.directory.name(number))': "
                + OperatorDirectory.unknown(kind, state, names)
        )
    }

    private func check(
        _ line: ExportLine,
        _ declared: Int,
        _ state: String
    ) throws(StateToolError) {
        guard let version = line.schemaVersion, Int(version) != declared else { return }
        throw Self.wrong(
            "'schemaVersion': the state '\(state)' has version \(declared), which is that of all "
                + "that it holds, found \(version)"
        )
    }

    private static func wrong(_ what: String) -> StateToolError { StateToolError(.input, what) }
}
