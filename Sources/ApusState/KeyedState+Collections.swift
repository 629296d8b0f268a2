import ApusMemory
import CApusPlugin
import CApusShims

// Lists and ordered maps.
//
// SAFETY: slots are found by KeyedState+Slots.swift, which says why their addresses hold; bytes
// from the plugin are read during the call only.
extension KeyedState {
    // MARK: - Lists

    func listAppend(
        _ slot: UInt32,
        _ record: UInt32,
        _ bytes: UnsafeRawPointer?,
        _ length: UInt64
    ) -> Int32 {
        guard isKind(slot, .list), isReadable(bytes, length) else { return APUS_UNSUPPORTED }
        guard length < UInt64(Int32.max) else { return APUS_LIMIT }
        var code = APUS_OK
        guard let target = made(slot, record, &code) else { return code }
        touch(target.row)
        if !holds(target.row, slot: Int(slot)) {
            let list = ListState(in: &pool, version: makeVersion())
            target.slot.storeBytes(of: list.pointer, as: UnsafeMutableRawPointer.self)
            note(target.row, slot: Int(slot))
        }
        guard let list = collection(target.row, Int(slot)) else { return APUS_UNSUPPORTED }
        ListState(at: list).append(bytes, Int(length), in: &pool)
        return APUS_OK
    }

    func listCount(
        _ slot: UInt32,
        _ record: UInt32,
        _ count: UnsafeMutablePointer<UInt64>
    ) -> Int32 {
        guard isKind(slot, .list) else { return APUS_UNSUPPORTED }
        var code = APUS_OK
        count.pointee = 0
        guard let found = existing(slot, record, &code) else { return code }
        guard let list = collection(found.row, Int(slot)) else { return APUS_UNSUPPORTED }
        count.pointee = ListState(at: list).count
        return APUS_OK
    }

    func listNext(
        _ slot: UInt32,
        _ record: UInt32,
        _ cursor: UnsafeMutablePointer<apus_cursor>,
        _ values: UnsafeMutablePointer<apus_bytes>,
        _ capacity: UInt32,
        _ count: UnsafeMutablePointer<UInt32>
    ) -> Int32 {
        guard isKind(slot, .list) else { return APUS_UNSUPPORTED }
        var code = APUS_OK
        count.pointee = 0
        guard let found = existing(slot, record, &code) else {
            return code == APUS_NOT_FOUND && cursor.pointee.started != 0 ? APUS_STALE : code
        }
        guard let pointer = collection(found.row, Int(slot)) else { return APUS_UNSUPPORTED }
        let list = ListState(at: pointer)
        guard let filled = list.next(cursor, values, Int(capacity)) else { return APUS_STALE }
        count.pointee = UInt32(filled)
        return APUS_OK
    }

    // MARK: - Maps

    private func buffer(_ start: UnsafeRawPointer?, _ count: UInt64) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : Int(count))
    }

    private func existingMap(
        _ slot: UInt32,
        _ record: UInt32,
        _ code: inout Int32
    ) -> MapState? {
        guard isKind(slot, .map) else {
            code = APUS_UNSUPPORTED
            return nil
        }
        guard let found = existing(slot, record, &code) else { return nil }
        guard let pointer = collection(found.row, Int(slot)) else {
            code = APUS_UNSUPPORTED
            return nil
        }
        return MapState(at: pointer)
    }

    func mapGet(
        _ slot: UInt32,
        _ record: UInt32,
        _ key: UnsafeRawPointer?,
        _ keyLength: UInt64,
        _ value: UnsafeMutablePointer<apus_bytes>
    ) -> Int32 {
        guard isReadable(key, keyLength) else { return APUS_UNSUPPORTED }
        guard keyLength < UInt64(Int32.max) else { return APUS_LIMIT }
        var code = APUS_OK
        guard let map = existingMap(slot, record, &code) else { return code }
        guard let found = map.get(buffer(key, keyLength)) else { return APUS_NOT_FOUND }
        value.pointee = found
        return APUS_OK
    }

    func mapPut(
        _ slot: UInt32,
        _ record: UInt32,
        _ key: UnsafeRawPointer?,
        _ keyLength: UInt64,
        _ bytes: UnsafeRawPointer?,
        _ length: UInt64
    ) -> Int32 {
        guard isKind(slot, .map), isReadable(key, keyLength), isReadable(bytes, length) else {
            return APUS_UNSUPPORTED
        }
        guard keyLength < UInt64(Int32.max), length < UInt64(Int32.max) else { return APUS_LIMIT }
        var code = APUS_OK
        guard let target = made(slot, record, &code) else { return code }
        touch(target.row)
        if !holds(target.row, slot: Int(slot)) {
            let map = MapState(in: &pool, version: makeVersion())
            target.slot.storeBytes(of: map.pointer, as: UnsafeMutableRawPointer.self)
            note(target.row, slot: Int(slot))
        }
        guard let map = collection(target.row, Int(slot)) else { return APUS_UNSUPPORTED }
        MapState(at: map).put(buffer(key, keyLength), buffer(bytes, length), in: &pool)
        return APUS_OK
    }

    func mapRemove(
        _ slot: UInt32,
        _ record: UInt32,
        _ key: UnsafeRawPointer?,
        _ keyLength: UInt64
    ) -> Int32 {
        guard isReadable(key, keyLength) else { return APUS_UNSUPPORTED }
        guard keyLength < UInt64(Int32.max) else { return APUS_LIMIT }
        var code = APUS_OK
        guard let map = existingMap(slot, record, &code) else { return code }
        if let row = row(record) { touch(row) }
        guard map.remove(buffer(key, keyLength), in: &pool) else { return APUS_NOT_FOUND }
        // A map without entries is no state: its key must not cost anything.
        if map.count == 0 { return clear(slot, record) }
        return APUS_OK
    }

    func mapCount(
        _ slot: UInt32,
        _ record: UInt32,
        _ count: UnsafeMutablePointer<UInt64>
    ) -> Int32 {
        var code = APUS_OK
        count.pointee = 0
        guard let map = existingMap(slot, record, &code) else { return code }
        count.pointee = map.count
        return APUS_OK
    }

    func mapNext(
        _ slot: UInt32,
        _ record: UInt32,
        _ cursor: UnsafeMutablePointer<apus_cursor>,
        _ entries: UnsafeMutablePointer<apus_entry>,
        _ capacity: UInt32,
        _ count: UnsafeMutablePointer<UInt32>
    ) -> Int32 {
        var code = APUS_OK
        count.pointee = 0
        guard let map = existingMap(slot, record, &code) else {
            return code == APUS_NOT_FOUND && cursor.pointee.started != 0 ? APUS_STALE : code
        }
        guard let filled = map.next(cursor, entries, Int(capacity)) else { return APUS_STALE }
        count.pointee = UInt32(filled)
        return APUS_OK
    }
}
