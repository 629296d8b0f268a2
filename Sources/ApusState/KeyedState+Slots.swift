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
    func existing(
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
        if hasExpiry, !isAlive(row, Int(slot)) {
            code = APUS_NOT_FOUND
            return nil
        }
        return (row, row + layout.offsets[Int(slot)])
    }

    /// The row of a record, made if need be, and the address of its slot.
    @inline(__always)
    func made(
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
        if hasExpiry { prepareWrite(row, Int(slot)) }
        return (row, row + layout.offsets[Int(slot)])
    }

    /// Whether there are bytes to read: a plugin may pass NULL only for none.
    func isReadable(_ bytes: UnsafeRawPointer?, _ length: UInt64) -> Bool {
        bytes != nil || length == 0
    }

    func isKind(_ slot: UInt32, _ kind: SlotDescription.Kind) -> Bool {
        Int(slot) < layout.slots.count && layout.slots[Int(slot)].kind == kind
    }

    // MARK: - Any kind

    func clear(_ slot: UInt32, _ record: UInt32) -> Int32 {
        guard Int(slot) < layout.slots.count else { return APUS_UNSUPPORTED }
        var code = APUS_OK
        guard let found = existing(slot, record, &code) else { return code }
        touch(found.row)
        free(Int(slot), of: found.row)
        if isCollection(Int(slot)) { noteCleared(found.row, Int(slot)) }
        setPresent(found.row, present(found.row) & ~(1 &<< slot))
        if present(found.row) == 0 { noteEmptied(found.row) }
        return APUS_OK
    }

    func isCollection(_ slot: Int) -> Bool {
        let kind = layout.slots[slot].kind
        return kind == .list || kind == .map
    }

    /// Frees what a slot that holds something holds in memory, and zeroes the slot.
    func free(_ slot: Int, of row: Row) {
        let place = row + layout.offsets[slot]
        switch layout.slots[slot].kind {
        case .fixedValue(let byteCount):
            memset(place, 0, byteCount)
        case .counter:
            place.storeBytes(of: 0, as: Int64.self)
        case .value:
            pool.deallocate(
                place.load(as: UnsafeMutableRawPointer.self),
                Int((place + 12).load(as: UInt32.self))
            )
        case .list, .map:
            // Nil when the entries are in the database and were not needed yet.
            let pointer = place.load(as: UnsafeMutableRawPointer?.self)
            place.storeBytes(of: nil, as: UnsafeMutableRawPointer?.self)
            guard let pointer else { return }
            if layout.slots[slot].kind == .list {
                ListState(at: pointer).destroy(in: &pool)
            } else {
                MapState(at: pointer).destroy(in: &pool)
            }
        }
    }
}
