import ApusMemory
import CApusPlugin
import CApusShims

// Lists and maps of an older version, entry by entry.
//
// SAFETY: an old list or map does not change while it is walked; entries are copied into the new
// one before the next one is asked for.
extension KeyedState {
    /// Entries that are looked at a time.
    private static let entriesPerStep = 64

    /// Takes over a list; why it cannot, or nil.
    func adoptList(
        _ slot: Int,
        of old: Row,
        _ origin: StateOrigin,
        into row: Row,
        _ target: Int,
        _ key: UnsafeRawBufferPointer
    ) -> String? {
        guard let pointer = origin.state.collection(old, slot) else {
            return "the list cannot be read"
        }
        let list = ListState(at: pointer)
        let made = ListState(in: &pool, version: makeVersion())
        (row + layout.offsets[target]).storeBytes(
            of: made.pointer,
            as: UnsafeMutableRawPointer?.self
        )
        note(row, slot: target)
        var position: UInt64 = 0
        var reason: String?
        var values = Array(repeating: apus_bytes(), count: Self.entriesPerStep)
        var cursor = apus_cursor()
        while reason == nil, let count = list.next(&cursor, &values, values.count), count > 0 {
            for value in values[..<count] where reason == nil {
                let bytes = UnsafeRawBufferPointer(start: value.data, count: Int(value.len))
                reason = withUnsafeBytes(of: position) { entry in
                    let value = MigratedValue(key: key, entry: entry, bytes: bytes)
                    return migrated(slot, value, origin) {
                        made.append($0.baseAddress, $0.count, in: &pool)
                    }
                }
                position += 1
            }
        }
        if made.count == 0 { dropCollection(target, of: row) }
        return reason
    }

    /// Takes over a map; why it cannot, or nil.
    func adoptMap(
        _ slot: Int,
        of old: Row,
        _ origin: StateOrigin,
        into row: Row,
        _ target: Int,
        _ key: UnsafeRawBufferPointer
    ) -> String? {
        guard let pointer = origin.state.collection(old, slot) else {
            return "the map cannot be read"
        }
        let map = MapState(at: pointer)
        let made = MapState(in: &pool, version: makeVersion())
        (row + layout.offsets[target]).storeBytes(
            of: made.pointer,
            as: UnsafeMutableRawPointer?.self
        )
        note(row, slot: target)
        var reason: String?
        var count = 0
        var entries = Array(repeating: apus_entry(), count: Self.entriesPerStep)
        var cursor = apus_cursor()
        while reason == nil, let found = map.next(&cursor, &entries, entries.count), found > 0 {
            for entry in entries[..<found] where reason == nil {
                let name = UnsafeRawBufferPointer(
                    start: entry.key.data,
                    count: Int(entry.key.len)
                )
                let bytes = UnsafeRawBufferPointer(
                    start: entry.value.data,
                    count: Int(entry.value.len)
                )
                let value = MigratedValue(key: key, entry: name, bytes: bytes)
                reason = migrated(slot, value, origin) {
                    made.put(name, $0, in: &pool)
                    count += 1
                }
            }
        }
        if count == 0 { dropCollection(target, of: row) }
        return reason
    }

    private func migrated(
        _ slot: Int,
        _ value: MigratedValue,
        _ origin: StateOrigin,
        _ body: (UnsafeRawBufferPointer) -> Void
    ) -> String? {
        guard !origin.migration.keepsBytes(ofSlot: slot) else {
            body(value.bytes)
            return nil
        }
        switch origin.migration.migrate(slot: slot, value) {
        case .bytes(let bytes): body(bytes)
        case .dropped: break
        case .failed(let reason): return reason
        }
        return nil
    }

    private func dropCollection(_ slot: Int, of row: Row) {
        free(slot, of: row)
        setPresent(row, present(row) & ~(1 &<< UInt32(slot)))
    }

    // MARK: - Images

    /// What a key has, taken apart.
    func image(of row: Row) -> KeyImage {
        var values: [KeyImage.Value] = []
        var left = present(row)
        while left != 0 {
            let slot = left.trailingZeroBitCount
            left &= left &- 1
            guard let content = content(of: slot, in: row) else { continue }
            values.append(KeyImage.Value(slot: slot, content: content))
        }
        var timers: [StoredRow.Timer] = []
        for domain in [TimerDomain.event, .processing] where timerCount(of: row) > 0 {
            forEachTimer(of: row, in: domain) { timer in
                let payload = UnsafeRawBufferPointer(
                    start: timer.pointee.payload,
                    count: Int(timer.pointee.payloadByteCount)
                )
                timers.append(
                    StoredRow.Timer(
                        domain: domain.number,
                        name: Int(timer.pointee.name),
                        id: timer.pointee.id,
                        timeMicroseconds: timer.pointee.time,
                        payload: Array(payload)
                    )
                )
            }
        }
        return KeyImage(key: Array(key(of: row)), values: values, timers: timers, isWhole: true)
    }

    private func content(of slot: Int, in row: Row) -> KeyImage.Value.Content? {
        switch layout.slots[slot].kind {
        case .value, .fixedValue: return .bytes(Array(bytes(of: slot, in: row)))
        case .counter: return .number(bytes(of: slot, in: row).loadUnaligned(as: Int64.self))
        case .list:
            guard let pointer = collection(row, slot) else { return nil }
            var values: [[UInt8]] = []
            var step = Array(repeating: apus_bytes(), count: Self.entriesPerStep)
            var cursor = apus_cursor()
            while let count = ListState(at: pointer).next(&cursor, &step, step.count), count > 0 {
                values += step[..<count].map(Self.array)
            }
            return .list(values)
        case .map:
            guard let pointer = collection(row, slot) else { return nil }
            var entries: [(key: [UInt8], value: [UInt8])] = []
            var step = Array(repeating: apus_entry(), count: Self.entriesPerStep)
            var cursor = apus_cursor()
            while let count = MapState(at: pointer).next(&cursor, &step, step.count), count > 0 {
                entries += step[..<count].map { (Self.array($0.key), Self.array($0.value)) }
            }
            return .map(entries)
        }
    }

    private static func array(_ bytes: apus_bytes) -> [UInt8] {
        Array(UnsafeBufferPointer(start: bytes.data, count: Int(bytes.len)))
    }
}
