import ApusMemory
import CApusPlugin
import CApusShims

// The operations of `apus_state_api` on a slot of a record's key.  Each returns an `APUS_` code.
//
// SAFETY: a slot's address is its row, which stays while the callback runs, plus the offset that
// RowLayout gave the slot; what a slot points to was put there by the operation of its kind, which
// `present` and the kind are asked for first.  Bytes from the plugin are read during the call only.
extension KeyedState {
    /// The row of a record and the address of its slot, or nil with a code to return.
    @inline(__always)
    private func existing(
        _ slot: UInt32,
        _ record: UInt32,
        _ code: inout Int32
    ) -> (row: Row, slot: UnsafeMutableRawPointer)? {
        guard hasKey(record) else {
            code = APUS_UNSUPPORTED
            return nil
        }
        guard let row = row(record), holds(row, slot: Int(slot)) else {
            code = APUS_NOT_FOUND
            return nil
        }
        return (row, row + layout.offsets[Int(slot)])
    }

    /// The row of a record, made if need be, and the address of its slot.
    @inline(__always)
    private func made(
        _ slot: UInt32,
        _ record: UInt32,
        _ code: inout Int32
    ) -> (row: Row, slot: UnsafeMutableRawPointer)? {
        guard hasKey(record) else {
            code = APUS_UNSUPPORTED
            return nil
        }
        guard let row = makeRow(record) else {
            code = APUS_LIMIT
            return nil
        }
        return (row, row + layout.offsets[Int(slot)])
    }

    /// Whether there are bytes to read: a plugin may pass NULL only for none.
    private func isReadable(_ bytes: UnsafeRawPointer?, _ length: UInt64) -> Bool {
        bytes != nil || length == 0
    }

    private func isKind(_ slot: UInt32, _ kind: SlotDescription.Kind) -> Bool {
        Int(slot) < layout.slots.count && layout.slots[Int(slot)].kind == kind
    }

    // MARK: - Values

    func valueGet(
        _ slot: UInt32,
        _ record: UInt32,
        _ value: UnsafeMutablePointer<apus_bytes>
    ) -> Int32 {
        guard Int(slot) < layout.slots.count else { return APUS_UNSUPPORTED }
        var code = APUS_OK
        switch layout.slots[Int(slot)].kind {
        case .fixedValue(let byteCount):
            guard let found = existing(slot, record, &code) else { return code }
            value.pointee = apus_bytes(
                data: UnsafeRawPointer(found.slot).assumingMemoryBound(to: UInt8.self),
                len: UInt64(byteCount)
            )
        case .value:
            guard let found = existing(slot, record, &code) else { return code }
            value.pointee = apus_bytes(
                data: found.slot.load(as: UnsafePointer<UInt8>.self),
                len: UInt64((found.slot + 8).load(as: UInt32.self))
            )
        case .counter, .list, .map:
            return APUS_UNSUPPORTED
        }
        return APUS_OK
    }

    func valuePut(
        _ slot: UInt32,
        _ record: UInt32,
        _ bytes: UnsafeRawPointer?,
        _ length: UInt64
    ) -> Int32 {
        guard Int(slot) < layout.slots.count, isReadable(bytes, length) else {
            return APUS_UNSUPPORTED
        }
        guard length < UInt64(Int32.max) else { return APUS_LIMIT }
        var code = APUS_OK
        switch layout.slots[Int(slot)].kind {
        case .fixedValue(let byteCount):
            guard length == UInt64(byteCount), let bytes else { return APUS_UNSUPPORTED }
            guard let target = made(slot, record, &code) else { return code }
            memmove(target.slot, bytes, byteCount)
            note(target.row, slot: Int(slot))
        case .value:
            guard let target = made(slot, record, &code) else { return code }
            putBytes(
                bytes,
                Int(length),
                in: target.slot,
                replacing: holds(target.row, slot: Int(slot))
            )
            note(target.row, slot: Int(slot))
        case .counter, .list, .map:
            return APUS_UNSUPPORTED
        }
        return APUS_OK
    }

    /// Stores bytes in a slot of any length: in its block when that is large enough.
    private func putBytes(
        _ bytes: UnsafeRawPointer?,
        _ length: Int,
        in slot: UnsafeMutableRawPointer,
        replacing: Bool
    ) {
        let needed = BlockPool.blockByteCount(for: length)
        var old: (block: UnsafeMutableRawPointer, capacity: Int)?
        if replacing {
            let block = slot.load(as: UnsafeMutableRawPointer.self)
            let capacity = Int((slot + 12).load(as: UInt32.self))
            if capacity == needed {
                if let bytes { memmove(block, bytes, length) }
                (slot + 8).storeBytes(of: UInt32(length), as: UInt32.self)
                return
            }
            old = (block, capacity)
        }
        let block = pool.allocate(length)
        if let bytes { memcpy(block, bytes, length) }
        slot.storeBytes(of: block, as: UnsafeMutableRawPointer.self)
        (slot + 8).storeBytes(of: UInt32(length), as: UInt32.self)
        (slot + 12).storeBytes(of: UInt32(needed), as: UInt32.self)
        // Only now: the bytes may lie in the old block.
        if let old { pool.deallocate(old.block, old.capacity) }
    }

    func valueMut(
        _ slot: UInt32,
        _ record: UInt32,
        _ value: UnsafeMutablePointer<UnsafeMutableRawPointer?>
    ) -> Int32 {
        guard Int(slot) < layout.slots.count, case .fixedValue = layout.slots[Int(slot)].kind else {
            return APUS_UNSUPPORTED
        }
        var code = APUS_OK
        guard let target = made(slot, record, &code) else { return code }
        note(target.row, slot: Int(slot))
        value.pointee = target.slot
        return APUS_OK
    }

    func valueMutMany(
        _ slot: UInt32,
        _ first: UInt32,
        _ count: UInt32,
        _ values: UnsafeMutablePointer<UnsafeMutableRawPointer?>,
        _ created: UnsafeMutablePointer<UInt8>?
    ) -> Int32 {
        guard Int(slot) < layout.slots.count, case .fixedValue = layout.slots[Int(slot)].kind,
            UInt64(first) + UInt64(count) <= UInt64(recordCount)
        else { return APUS_UNSUPPORTED }
        let offset = layout.offsets[Int(slot)]
        let bit: UInt32 = 1 &<< slot
        let rows = self.rows + Int(first)
        for index in 0..<Int(count) {
            if let row = rows[index] {
                let present = present(row)
                created?[index] = present & bit == 0 ? 1 : 0
                setPresent(row, present | bit)
                values[index] = row + offset
                continue
            }
            let record = first &+ UInt32(truncatingIfNeeded: index)
            guard hasKey(record) else {
                values[index] = nil
                created?[index] = 0
                continue
            }
            guard let row = makeRow(record) else { return APUS_LIMIT }
            created?[index] = holds(row, slot: Int(slot)) ? 0 : 1
            note(row, slot: Int(slot))
            values[index] = row + offset
        }
        return APUS_OK
    }

    // MARK: - Counters

    func counterAdd(
        _ slot: UInt32,
        _ record: UInt32,
        _ delta: Int64,
        _ sum: UnsafeMutablePointer<Int64>?
    ) -> Int32 {
        guard isKind(slot, .counter) else { return APUS_UNSUPPORTED }
        var code = APUS_OK
        guard let target = made(slot, record, &code) else { return code }
        let total = target.slot.load(as: Int64.self) &+ delta
        target.slot.storeBytes(of: total, as: Int64.self)
        note(target.row, slot: Int(slot))
        sum?.pointee = total
        return APUS_OK
    }

    func counterGet(
        _ slot: UInt32,
        _ record: UInt32,
        _ sum: UnsafeMutablePointer<Int64>
    ) -> Int32 {
        guard isKind(slot, .counter) else { return APUS_UNSUPPORTED }
        var code = APUS_OK
        guard let found = existing(slot, record, &code) else {
            sum.pointee = 0
            return code
        }
        sum.pointee = found.slot.load(as: Int64.self)
        return APUS_OK
    }

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
        if !holds(target.row, slot: Int(slot)) {
            let list = ListState(in: &pool, version: makeVersion())
            target.slot.storeBytes(of: list.pointer, as: UnsafeMutableRawPointer.self)
            note(target.row, slot: Int(slot))
        }
        ListState(at: target.slot.load(as: UnsafeMutableRawPointer.self))
            .append(bytes, Int(length), in: &pool)
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
        count.pointee = ListState(at: found.slot.load(as: UnsafeMutableRawPointer.self)).count
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
        let list = ListState(at: found.slot.load(as: UnsafeMutableRawPointer.self))
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
        return MapState(at: found.slot.load(as: UnsafeMutableRawPointer.self))
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
        if !holds(target.row, slot: Int(slot)) {
            let map = MapState(in: &pool, version: makeVersion())
            target.slot.storeBytes(of: map.pointer, as: UnsafeMutableRawPointer.self)
            note(target.row, slot: Int(slot))
        }
        MapState(at: target.slot.load(as: UnsafeMutableRawPointer.self))
            .put(buffer(key, keyLength), buffer(bytes, length), in: &pool)
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

    // MARK: - Any kind

    func clear(_ slot: UInt32, _ record: UInt32) -> Int32 {
        guard Int(slot) < layout.slots.count else { return APUS_UNSUPPORTED }
        var code = APUS_OK
        guard let found = existing(slot, record, &code) else { return code }
        switch layout.slots[Int(slot)].kind {
        case .fixedValue(let byteCount):
            memset(found.slot, 0, byteCount)
        case .counter:
            found.slot.storeBytes(of: 0, as: Int64.self)
        case .value:
            pool.deallocate(
                found.slot.load(as: UnsafeMutableRawPointer.self),
                Int((found.slot + 12).load(as: UInt32.self))
            )
        case .list:
            ListState(at: found.slot.load(as: UnsafeMutableRawPointer.self)).destroy(in: &pool)
        case .map:
            MapState(at: found.slot.load(as: UnsafeMutableRawPointer.self)).destroy(in: &pool)
        }
        setPresent(found.row, present(found.row) & ~(1 &<< slot))
        if present(found.row) == 0 { noteEmptied(found.row) }
        return APUS_OK
    }
}
