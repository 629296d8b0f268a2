import ApusCore
import ApusMemory
import ApusStore
import CApusShims

// Rows and what hangs off them in their stored form; see EntryKey and RowCodec.
//
// SAFETY: sizes are counted by the function in front of the one that writes; slots are read as
// their kinds say, only where `present` says that they hold something.
extension KeyedState {
    /// Puts a row's changes into the buffer, after which the row is clean.
    func encode(_ row: Row) {
        let key = key(of: row)
        let group = groups.group(ofHash: row.load(as: UInt64.self))
        let place = Place(operatorNumber: operatorNumber, group: group, key: key)
        var mark = mark(row)
        let isGone = isEmpty(row)
        if layout.collectionsOffset > 0 { encodeCollections(row, place) }
        if layout.eventTimersOffset > 0 { encodeWake(row, place, .event, &mark) }
        if layout.processingTimersOffset > 0 { encodeWake(row, place, .processing, &mark) }
        if !isGone {
            encodeValues(row, place)
            mark.insert(.stored)
        } else if mark.contains(.stored) {
            let target = tracking.pointee.buffer.delete(
                keyByteCount: EntryKey.rowPrefixByteCount + key.count
            )
            place.writeRowKey(to: target)
            mark.remove(.stored)
        }
        mark.remove(.dirty)
        mark.insert(.inFlight)
        mark.flush = UInt8(truncatingIfNeeded: tracking.pointee.nextFlush)
        setMark(row, mark)
        if isGone {
            tracking.pointee.graves.append(
                RowTracking.Waiting(row: row, flush: tracking.pointee.nextFlush)
            )
        }
    }

    /// Where the entries of a key lie.
    struct Place {
        let operatorNumber: UInt16
        let group: Int
        let key: UnsafeRawBufferPointer

        func writeRowKey(to target: UnsafeMutableRawPointer) {
            EntryKey.writeRow(to: target, group: group, operatorNumber: operatorNumber, key: key)
        }

        func writePrefix(of slot: Int, to target: UnsafeMutableRawPointer) {
            EntryKey.writeCollectionPrefix(
                to: target,
                group: group,
                operatorNumber: operatorNumber,
                slotNumber: UInt8(truncatingIfNeeded: slot),
                key: key
            )
        }

        func writeWake(
            _ domain: TimerDomain,
            _ time: Int64,
            to target: UnsafeMutableRawPointer
        ) {
            EntryKey.writeWake(
                to: target,
                operatorNumber: operatorNumber,
                domain: domain,
                time: time,
                group: group,
                key: key
            )
        }
    }

    // MARK: - The row

    private func encodeValues(_ row: Row, _ place: Place) {
        let byteCount = storedByteCount(row)
        let target = tracking.pointee.buffer.put(
            keyByteCount: EntryKey.rowPrefixByteCount + place.key.count,
            valueByteCount: byteCount
        )
        place.writeRowKey(to: target.key)
        writeStored(row, to: target.value, byteCount)
    }

    /// Bytes of a row's stored form.
    func storedByteCount(_ row: Row) -> Int {
        let timers = timerCount(of: row) > 0 ? timersByteCount(row) : 0
        return RowCodec.headerByteCount + valuesByteCount(row) + timers
    }

    /// Writes a row's stored form, of as many bytes as ``storedByteCount(_:)`` said.
    func writeStored(_ row: Row, to target: UnsafeMutableRawPointer, _ byteCount: Int) {
        EntryKey.storeBigEndian(UInt32(RowCodec.format) << 24, to: target)
        let written = (row + RowLayout.writtenOffset).load(as: UInt32.self)
        EntryKey.storeBigEndian(written, to: target + RowCodec.writtenOffset)
        EntryKey.storeBigEndian(expiryOfRow(row), to: target + RowCodec.expiresOffset)
        var at = writeValues(row, to: target + RowCodec.headerByteCount)
        if timerCount(of: row) > 0 { at = writeTimers(row, to: at) }
        precondition(at == target + byteCount, "a row is as long as was counted")
    }

    /// The bytes of a slot that holds something; none for lists and maps.
    @inline(__always)
    func bytes(of slot: Int, in row: Row) -> UnsafeRawBufferPointer {
        let place = row + layout.offsets[slot]
        switch layout.slots[slot].kind {
        case .fixedValue(let byteCount):
            return UnsafeRawBufferPointer(start: place, count: byteCount)
        case .value:
            return UnsafeRawBufferPointer(
                start: place.load(as: UnsafeRawPointer.self),
                count: Int((place + 8).load(as: UInt32.self))
            )
        case .counter:
            return UnsafeRawBufferPointer(start: place, count: 8)
        case .list, .map:
            return UnsafeRawBufferPointer(start: nil, count: 0)
        }
    }

    private func valuesByteCount(_ row: Row) -> Int {
        var byteCount = 0
        var left = present(row)
        while left != 0 {
            let slot = left.trailingZeroBitCount
            left &= left &- 1
            let length = bytes(of: slot, in: row).count
            byteCount += 3 + RowCodec.varintByteCount(length) + length
            if layout.slots[slot].expiry != nil { byteCount += 5 }
        }
        return byteCount
    }

    private func writeValues(
        _ row: Row,
        to target: UnsafeMutableRawPointer
    ) -> UnsafeMutableRawPointer {
        var at = target
        var left = present(row)
        while left != 0 {
            let slot = left.trailingZeroBitCount
            left &= left &- 1
            let value = bytes(of: slot, in: row)
            at.storeBytes(of: UInt8(truncatingIfNeeded: slot), as: UInt8.self)
            EntryKey.storeBigEndian(layout.slots[slot].schemaVersion, to: at + 1)
            at = RowCodec.writeVarint(value.count, to: at + 3)
            if layout.slots[slot].kind == .counter {
                let sum = value.loadUnaligned(as: Int64.self)
                EntryKey.storeBigEndian(sum, to: at)
            } else if let bytes = value.baseAddress {
                memcpy(at, bytes, value.count)
            }
            at += value.count
            guard layout.slots[slot].expiry != nil else { continue }
            at.storeBytes(of: RowCodec.stampTag | UInt8(truncatingIfNeeded: slot), as: UInt8.self)
            let stamp = (row + layout.stampOffsets[slot]).load(as: UInt32.self)
            EntryKey.storeBigEndian(stamp, to: at + 1)
            at += 5
        }
        return at
    }

    // MARK: - Timers

    private func forEachTimer(
        of row: Row,
        _ body: (TimerDomain, UnsafeMutablePointer<TimerQueue.Entry>) -> Void
    ) {
        for domain in [TimerDomain.event, .processing] {
            forEachTimer(of: row, in: domain) { body(domain, $0) }
        }
    }

    /// Calls `body` with each armed timer of a row in a domain.
    func forEachTimer(
        of row: Row,
        in domain: TimerDomain,
        _ body: (UnsafeMutablePointer<TimerQueue.Entry>) -> Void
    ) {
        guard layout.timersOffset(domain, part: 8) > 0 else { return }
        let queue = queue(domain)
        var entry = queue.first(of: row)
        while let timer = entry {
            entry = queue.next(after: timer)
            body(timer)
        }
    }

    private func timersByteCount(_ row: Row) -> Int {
        var byteCount = 0
        forEachTimer(of: row) { _, timer in
            let length = Int(timer.pointee.payloadByteCount)
            byteCount += 17 + RowCodec.varintByteCount(Int(timer.pointee.name))
            byteCount += RowCodec.varintByteCount(length) + length
        }
        return byteCount
    }

    private func writeTimers(
        _ row: Row,
        to target: UnsafeMutableRawPointer
    ) -> UnsafeMutableRawPointer {
        var at = target
        forEachTimer(of: row) { domain, timer in
            at.storeBytes(of: RowCodec.timerTag | domain.number, as: UInt8.self)
            at = RowCodec.writeVarint(Int(timer.pointee.name), to: at + 1)
            EntryKey.storeBigEndian(timer.pointee.id, to: at)
            EntryKey.storeBigEndian(timer.pointee.time, to: at + 8)
            let length = Int(timer.pointee.payloadByteCount)
            at = RowCodec.writeVarint(length, to: at + 16)
            if let payload = timer.pointee.payload { memcpy(at, payload, length) }
            at += length
        }
        return at
    }

    /// Keeps the key's wake-up entry at the time of its first timer.
    private func encodeWake(
        _ row: Row,
        _ place: Place,
        _ domain: TimerDomain,
        _ mark: inout RowMark
    ) {
        let flag: RowMark = domain == .event ? .wakesInEventTime : .wakesInProcessingTime
        let stored = row + layout.timersOffset(domain, part: 0)
        let queue = queue(domain)
        var time = Int64.max
        var entry = queue.first(of: row)
        let hasTimers = entry != nil
        while let timer = entry {
            time = min(time, timer.pointee.time)
            entry = queue.next(after: timer)
        }
        let old = stored.load(as: Int64.self)
        if mark.contains(flag), hasTimers, old == time { return }
        let byteCount = EntryKey.wakeByteCount(place.key)
        if mark.contains(flag) {
            let target = tracking.pointee.buffer.delete(keyByteCount: byteCount)
            place.writeWake(domain, old, to: target)
            mark.remove(flag)
        }
        guard hasTimers else { return }
        let target = tracking.pointee.buffer.put(keyByteCount: byteCount, valueByteCount: 0)
        place.writeWake(domain, time, to: target.key)
        stored.storeBytes(of: time, as: Int64.self)
        mark.insert(flag)
    }

    // MARK: - Lists and maps

    /// Notes that a list or map was cleared.
    func noteCleared(_ row: Row, _ slot: Int) {
        guard layout.collectionsOffset > 0 else { return }
        let masks = row + layout.collectionsOffset
        let bit: UInt32 = 1 << UInt32(slot)
        guard (masks + 4).load(as: UInt32.self) & bit != 0 else { return }
        masks.storeBytes(of: masks.load(as: UInt32.self) | bit, as: UInt32.self)
    }

    private func encodeCollections(_ row: Row, _ place: Place) {
        let masks = row + layout.collectionsOffset
        var cleared = masks.load(as: UInt32.self)
        var stored = (masks + 4).load(as: UInt32.self)
        for slot in layout.slots.indices where isCollection(slot) {
            let bit: UInt32 = 1 << UInt32(slot)
            let memory = (row + layout.offsets[slot]).load(as: UnsafeMutableRawPointer?.self)
            let isHeld = holds(row, slot: slot)
            var mustDelete = cleared & bit != 0
            if isHeld, let memory, layout.slots[slot].kind == .map {
                if MapState(at: memory).mustBeRewritten, stored & bit != 0 { mustDelete = true }
            }
            if mustDelete {
                encodeDeletion(of: slot, place)
                stored &= ~bit
            }
            guard isHeld, let memory else { continue }
            if layout.slots[slot].kind == .list {
                encodeList(ListState(at: memory), slot, place)
            } else {
                encodeMap(MapState(at: memory), slot, place)
            }
            stored |= bit
        }
        cleared = 0
        masks.storeBytes(of: cleared, as: UInt32.self)
        (masks + 4).storeBytes(of: stored, as: UInt32.self)
    }

    private func encodeDeletion(of slot: Int, _ place: Place) {
        let byteCount = EntryKey.collectionPrefixByteCount(place.key)
        let range = tracking.pointee.buffer.deleteRange(
            fromByteCount: byteCount,
            toByteCount: byteCount
        )
        place.writePrefix(of: slot, to: range.from)
        place.writePrefix(of: slot, to: range.to)
        EntryKey.advancePastPrefix(
            UnsafeMutableRawBufferPointer(start: range.to, count: byteCount)
        )
    }

    private func encodeList(_ list: ListState, _ slot: Int, _ place: Place) {
        guard let segment = list.takeSegment() else { return }
        let prefix = EntryKey.collectionPrefixByteCount(place.key)
        let target = tracking.pointee.buffer.put(
            keyByteCount: prefix + EntryKey.segmentByteCount,
            valueByteCount: segment.bytes.count
        )
        place.writePrefix(of: slot, to: target.key)
        EntryKey.storeBigEndian(segment.number, to: target.key + prefix)
        if let bytes = segment.bytes.baseAddress {
            memcpy(target.value, bytes, segment.bytes.count)
        }
    }

    private func encodeMap(_ map: MapState, _ slot: Int, _ place: Place) {
        let prefix = EntryKey.collectionPrefixByteCount(place.key)
        map.takeChanges { key, value in
            let keyByteCount = prefix + key.count
            let target: UnsafeMutableRawPointer
            if let value {
                let entry = tracking.pointee.buffer.put(
                    keyByteCount: keyByteCount,
                    valueByteCount: value.count
                )
                if let bytes = value.baseAddress { memcpy(entry.value, bytes, value.count) }
                target = entry.key
            } else {
                target = tracking.pointee.buffer.delete(keyByteCount: keyByteCount)
            }
            place.writePrefix(of: slot, to: target)
            if let bytes = key.baseAddress { memcpy(target + prefix, bytes, key.count) }
        }
    }
}
