import ApusCheckpoint
import ApusState

/// What lines of a file make of a key.
struct KeyMerge {
    /// The database takes no longer values.
    private static let rowByteCountMax = 1 << 29

    private let content: KeyContent
    private let directory: OperatorDirectory
    private let existing: StateImport.Existing
    private var row: StoredRow
    /// Lists that take the place of those that are there, or that are left out.
    private var lists: [Int: [[UInt8]]] = [:]
    private var keptListCounts: [Int: Int] = [:]
    private var mapKeys: [Int: Set<[UInt8]>] = [:]
    private var entries: [(slot: Int, mapKey: [UInt8], bytes: [UInt8])] = []
    /// Lines that add or replace something.
    private(set) var appliedCount = 0
    /// Lines that were left out.
    private(set) var keptCount = 0

    /// Begins with what there is.
    init(
        _ reader: StateSnapshotReader,
        _ number: UInt16,
        _ key: [UInt8],
        _ existing: StateImport.Existing
    ) throws(StateToolError) {
        directory = reader.directory
        self.existing = existing
        let found = try reader.content(of: key, operatorNumber: number)
        content =
            found
            ?? KeyContent(
                operatorNumber: number,
                group: StoredKey.group(of: key, groupCount: reader.manifest.maxParallelism),
                key: key,
                row: StoredRow()
            )
        row = content.row
        for case (let slot, .map(let entries)) in content.collections {
            mapKeys[slot] = Set(entries.map(\.key))
        }
    }

    /// Whether the key was not there before.
    var isNew: Bool { content.row.isEmpty }

    func isOf(_ number: UInt16, _ key: [UInt8]) -> Bool {
        content.operatorNumber == number && content.key == key
    }

    /// Adds a line.
    mutating func add(
        _ item: ExportLine.Item,
        _ times: ExportLine.Times
    ) throws(StateToolError) {
        let isApplied: Bool
        switch item {
        case .value(let slot, let version, let bytes):
            isApplied = existing == .replace || !isThere(slot)
            if isApplied { put(slot, version, bytes, times) }
        case .element(let slot, let version, let index, let bytes):
            isApplied = try addElement(slot, index, bytes)
            if isApplied, index == 0 { put(slot, version, [], times) }
        case .entry(let slot, let version, let mapKey, let bytes):
            isApplied = existing == .replace || !hasEntry(slot, mapKey)
            if isApplied {
                entries.append((slot, mapKey, bytes))
                if value(slot) == nil { put(slot, version, [], times) }
            }
        case .timer(let timer):
            isApplied = addTimer(timer)
        }
        guard isApplied else {
            keptCount += 1
            return
        }
        appliedCount += 1
        row.written = max(row.written, times.written)
        // A row that expires as a whole must have nothing that does not: only one that is new, and
        // all of whose lines say so, is such a row.
        if isNew, appliedCount == 1 {
            row.expires = times.expires
        } else if row.expires != times.expires || !isNew {
            row.expires = CoarseTime(seconds: 0)
        }
    }

    private func value(_ slot: Int) -> StoredRow.Value? { row.values.first { $0.slot == slot } }

    /// Whether the key had the state before.
    private func isThere(_ slot: Int) -> Bool {
        content.row.values.contains { $0.slot == slot }
    }

    private func hasEntry(_ slot: Int, _ mapKey: [UInt8]) -> Bool {
        mapKeys[slot]?.contains(mapKey) ?? false
    }

    private mutating func put(
        _ slot: Int,
        _ version: UInt16?,
        _ bytes: [UInt8],
        _ times: ExportLine.Times
    ) {
        let declared = directory.declaration(content.operatorNumber, slot)?.schemaVersion
        var value = StoredRow.Value(
            slot: slot,
            schemaVersion: version ?? declared.map { UInt16(clamping: $0) } ?? 1,
            bytes: bytes
        )
        if times.refreshed.seconds != 0 { value.refreshed = times.refreshed }
        row.values.removeAll { $0.slot == slot }
        row.values.append(value)
        row.values.sort { $0.slot < $1.slot }
    }

    /// Adds an element of a list; false when the list that is there stays.
    private mutating func addElement(
        _ slot: Int,
        _ index: Int,
        _ bytes: [UInt8]
    ) throws(StateToolError) -> Bool {
        let isKept = existing == .keep && isThere(slot)
        let count = isKept ? keptListCounts[slot] ?? 0 : lists[slot]?.count ?? 0
        guard index == count else {
            throw StateToolError(
                .input,
                "expected index \(count) of the list "
                    + "'\(directory.slotName(content.operatorNumber, slot))', found \(index); the "
                    + "lines of a list follow each other, from index 0 on"
            )
        }
        if isKept {
            keptListCounts[slot] = count + 1
        } else {
            lists[slot, default: []].append(bytes)
        }
        return !isKept
    }

    private mutating func addTimer(_ timer: StoredRow.Timer) -> Bool {
        let index = row.timers.firstIndex {
            $0.domain == timer.domain && $0.name == timer.name && $0.id == timer.id
        }
        guard let index else {
            row.timers.append(timer)
            return true
        }
        guard existing == .replace else { return false }
        row.timers[index] = timer
        return true
    }

    /// Makes the changes.
    func apply(to edit: StateEdit) throws(StateToolError) {
        let byteCount =
            row.values.reduce(0) { $0 + $1.bytes.count }
            + row.timers.reduce(0) { $0 + $1.payload.count + 64 }
        guard byteCount < Self.rowByteCountMax else {
            throw StateToolError(
                .input,
                "the key \(ByteText.shown(content.key, byteCountMax: 64)) would have a row of "
                    + "\(byteCount) bytes; expected fewer than \(Self.rowByteCountMax)"
            )
        }
        for (slot, values) in lists.sorted(by: { $0.key < $1.key }) {
            edit.replaceList(slot, of: content, by: values)
        }
        for entry in entries { edit.putEntry(entry.slot, of: content, entry.mapKey, entry.bytes) }
        edit.replaceRow(content, by: row)
    }
}
