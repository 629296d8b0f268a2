import ApusMemory
import CApusPlugin
import CApusShims

// Values, fixed or of any length, and counters.
//
// SAFETY: slots are found by KeyedState+Slots.swift, which says why their addresses hold; bytes
// from the plugin are read during the call only.
extension KeyedState {
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
            touch(target.row)
            memmove(target.slot, bytes, byteCount)
            note(target.row, slot: Int(slot))
        case .value:
            guard let target = made(slot, record, &code) else { return code }
            touch(target.row)
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
    func putBytes(
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
        touch(target.row)
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
                if hasExpiry { prepareWrite(row, Int(slot)) }
                touch(row)
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
            if hasExpiry { prepareWrite(row, Int(slot)) }
            touch(row)
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
        touch(target.row)
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
}
