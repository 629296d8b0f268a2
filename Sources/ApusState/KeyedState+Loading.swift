import ApusCore
import ApusMemory
import ApusStore
import CApusPlugin
import CApusShims

// Rows that memory does not hold, brought back from the database.
//
// SAFETY: keys to look up lie in the arena of RowTracking, which has room for all of them before
// the first one is written; stored bytes are valid during the database's call and are copied.
extension KeyedState {
    /// Brings the rows of records `first ...` whose keys memory does not have.
    func loadMissing(_ batch: UnsafePointer<apus_batch>, from first: Int) {
        guard let tier, let keys = batch.pointee.key, let hashes = batch.pointee.key_hash else {
            return
        }
        var byteCount = 0
        var count = 0
        for index in first..<recordCount where rows[index] == nil && hasKey(UInt32(index)) {
            byteCount += EntryKey.rowPrefixByteCount + Int(keys[index].len)
            count += 1
        }
        guard count > 0 else { return }
        reserveKeys(byteCount)
        for index in first..<recordCount where rows[index] == nil && hasKey(UInt32(index)) {
            let bytes = UnsafeRawBufferPointer(
                start: apus_view_data(keys + index, batch.pointee.buffers),
                count: Int(keys[index].len)
            )
            appendLookUp(
                bytes,
                group: groups.group(ofHash: hashes[index]),
                record: index,
                operatorNumber: tier.operatorNumber
            )
        }
        lookUp { record, value in
            // An equal key in front of it may have brought the row.
            let key = keys + record
            let row =
                table.find(hashes[record], key, batch.pointee.buffers)
                ?? load(value, hash: hashes[record], key: key, batch.pointee.buffers)
            if let row { useRow(row, forRecord: record) }
        }
    }

    // MARK: - Looking up

    func reserveKeys(_ byteCount: Int) {
        tracking.pointee.lookUps.removeAll(keepingCapacity: true)
        tracking.pointee.lookUpRecords.removeAll(keepingCapacity: true)
        tracking.pointee.keyArenaUsed = 0
        guard byteCount > tracking.pointee.keyArena.count else { return }
        tracking.pointee.keyArena.deallocate()
        tracking.pointee.keyArena = .allocate(byteCount: byteCount, alignment: 16)
    }

    func appendLookUp(
        _ key: UnsafeRawBufferPointer,
        group: Int,
        record: Int,
        operatorNumber: UInt16
    ) {
        let length = EntryKey.rowPrefixByteCount + key.count
        let used = tracking.pointee.keyArenaUsed
        let target = UnsafeMutableRawBufferPointer(
            rebasing: tracking.pointee.keyArena[used..<used + length]
        )
        guard let start = target.baseAddress else { return }
        EntryKey.writeRow(to: start, group: group, operatorNumber: operatorNumber, key: key)
        tracking.pointee.lookUps.append(UnsafeRawBufferPointer(target))
        tracking.pointee.lookUpRecords.append(record)
        tracking.pointee.keyArenaUsed = used + length
    }

    /// Calls `body` with each record whose row the database has, and the stored row.
    func lookUp(_ body: (Int, UnsafeRawBufferPointer) -> Void) {
        guard let tier else { return }
        do throws(StoreError) {
            try tracking.pointee.lookUps.withUnsafeBufferPointer { keys throws(StoreError) in
                try tier.database.get(keys) { index, value in
                    if let value { body(tracking.pointee.lookUpRecords[index], value) }
                }
            }
        } catch {
            fail(error)
        }
    }

    // MARK: - Decoding

    /// A row made of its stored form; nil when that is damaged or there are too many keys.
    func load(
        _ value: UnsafeRawBufferPointer,
        hash: UInt64,
        key: UnsafePointer<apus_view>,
        _ buffers: UnsafePointer<UnsafePointer<UInt8>?>?
    ) -> Row? {
        guard var reader = RowCodec.Reader(value) else { return failToDecode("header") }
        var longKey: UnsafeMutableRawPointer?
        if key.pointee.len > 12 {
            let copy = pool.allocate(Int(key.pointee.len))
            memcpy(copy, apus_view_data(key, buffers), Int(key.pointee.len))
            longKey = copy
        }
        guard let row = table.insert(hash, key, longKey: longKey) else {
            return failToDecode("row: there are 2^32 keys in memory")
        }
        setMark(row, mark(row).intersection(.listed).union([.stored, .referenced]))
        (row + RowLayout.writtenOffset).storeBytes(of: reader.writtenSeconds, as: UInt32.self)
        while !reader.isAtEnd {
            guard let field = reader.next() else { return failToDecode("field") }
            switch field {
            case .value(let slot, _, let bytes):
                guard loadValue(Int(slot), bytes, into: row) else { return failToDecode("value") }
            case .stamp(let slot, let seconds):
                guard Int(slot) < layout.slots.count, layout.slots[Int(slot)].expiry != nil else {
                    continue
                }
                (row + layout.stampOffsets[Int(slot)]).storeBytes(of: seconds, as: UInt32.self)
            case .timer(let domain, let name, let id, let time, let payload):
                guard loadTimer(row, domain, name, id, time, payload) else {
                    return failToDecode("timer")
                }
            }
        }
        if layout.eventTimersOffset > 0 { noteWake(row, .event) }
        if layout.processingTimersOffset > 0 { noteWake(row, .processing) }
        return row
    }

    private func failToDecode(_ part: String) -> Row? {
        fail(
            StoreError(
                operation: "read",
                path: "state database",
                reason: "a row's \(part) is not what this version writes"
            )
        )
        return nil
    }

    private func loadValue(_ slot: Int, _ bytes: UnsafeRawBufferPointer, into row: Row) -> Bool {
        // State that the operator does not declare any more.
        guard slot < layout.slots.count else { return true }
        let place = row + layout.offsets[slot]
        switch layout.slots[slot].kind {
        case .fixedValue(let byteCount):
            guard bytes.count == byteCount, let start = bytes.baseAddress else { return false }
            memcpy(place, start, byteCount)
        case .counter:
            guard bytes.count == 8, let start = bytes.baseAddress else { return false }
            place.storeBytes(of: EntryKey.loadBigEndian(start, as: Int64.self), as: Int64.self)
        case .value:
            let block = pool.allocate(bytes.count)
            if let start = bytes.baseAddress { memcpy(block, start, bytes.count) }
            place.storeBytes(of: block, as: UnsafeMutableRawPointer.self)
            (place + 8).storeBytes(of: UInt32(bytes.count), as: UInt32.self)
            let capacity = UInt32(BlockPool.blockByteCount(for: bytes.count))
            (place + 12).storeBytes(of: capacity, as: UInt32.self)
        case .list, .map:
            // The entries come when they are asked for.
            let stored = row + layout.collectionsOffset + 4
            let bit: UInt32 = 1 << UInt32(slot)
            stored.storeBytes(of: stored.load(as: UInt32.self) | bit, as: UInt32.self)
        }
        if let rule = layout.slots[slot].expiry, rule.domain == .processing {
            // Written before it had a rule: it ages from the row's last write.
            let written = (row + RowLayout.writtenOffset).load(as: UInt32.self)
            (row + layout.stampOffsets[slot]).storeBytes(of: written, as: UInt32.self)
        }
        note(row, slot: slot)
        return true
    }

    private func loadTimer(
        _ row: Row,
        _ domain: UInt8,
        _ name: Int,
        _ id: UInt64,
        _ time: Int64,
        _ payload: UnsafeRawBufferPointer
    ) -> Bool {
        guard name < timerDomains.count, timerDomains[name].number == domain else { return false }
        var copy: UnsafeMutableRawPointer?
        if let bytes = payload.baseAddress, payload.count > 0 {
            let block = pool.allocate(payload.count)
            memcpy(block, bytes, payload.count)
            copy = block
        }
        let entry = TimerQueue.Entry(
            time: time,
            id: id,
            row: row,
            payload: copy,
            payloadByteCount: UInt32(payload.count),
            name: UInt32(name),
            heapIndex: 0,
            next: -1
        )
        guard queue(timerDomains[name]).insert(entry) else { return false }
        addTimers(to: row, 1)
        return true
    }

    /// Notes under which time the database would wake a key that was just loaded.
    private func noteWake(_ row: Row, _ domain: TimerDomain) {
        let queue = queue(domain)
        var entry = queue.first(of: row)
        guard entry != nil else { return }
        var time = Int64.max
        while let timer = entry {
            time = min(time, timer.pointee.time)
            entry = queue.next(after: timer)
        }
        (row + layout.timersOffset(domain, part: 0)).storeBytes(of: time, as: Int64.self)
        setMark(
            row,
            mark(row).union(domain == .event ? .wakesInEventTime : .wakesInProcessingTime)
        )
    }

    // MARK: - Lists and maps

    /// Segments of a list beyond which it is written anew when it changes.
    private static let segmentCountMax = 32

    /// What the slot of a list or map that holds something points to, brought from the database
    /// when it is not in memory; nil when that failed.
    @inline(__always)
    func collection(_ row: Row, _ slot: Int) -> UnsafeMutableRawPointer? {
        let memory = (row + layout.offsets[slot]).load(as: UnsafeMutableRawPointer?.self)
        return memory ?? loadCollection(row, slot)
    }

    private func loadCollection(_ row: Row, _ slot: Int) -> UnsafeMutableRawPointer? {
        guard let tier else { preconditionFailure("without a database all entries are in memory") }
        let place = Place(
            operatorNumber: tier.operatorNumber,
            group: groups.group(ofHash: row.load(as: UInt64.self)),
            key: key(of: row)
        )
        let prefix = EntryKey.collectionPrefixByteCount(place.key)
        let bounds = UnsafeMutableRawBufferPointer.allocate(byteCount: prefix * 2, alignment: 8)
        defer { bounds.deallocate() }
        guard let start = bounds.baseAddress else { return nil }
        place.writePrefix(of: slot, to: start)
        place.writePrefix(of: slot, to: start + prefix)
        EntryKey.advancePastPrefix(
            UnsafeMutableRawBufferPointer(start: start + prefix, count: prefix)
        )
        let isList = layout.slots[slot].kind == .list
        let pointer =
            isList
            ? ListState(in: &pool, version: makeVersion()).pointer
            : MapState(in: &pool, version: makeVersion()).pointer
        var isGood = true
        do throws(StoreError) {
            try tier.database.scan(
                from: UnsafeRawBufferPointer(start: start, count: prefix),
                to: UnsafeRawBufferPointer(start: start + prefix, count: prefix)
            ) { entryKey, value in
                let rest = UnsafeRawBufferPointer(rebasing: entryKey[prefix...])
                isGood = addStored(rest, value, to: pointer, isList: isList)
                return isGood
            }
        } catch {
            fail(error)
            isGood = false
        }
        (row + layout.offsets[slot]).storeBytes(of: pointer, as: UnsafeMutableRawPointer.self)
        guard isGood else {
            _ = failToDecode("list or map")
            return nil
        }
        if isList {
            if ListState(at: pointer).segmentCount > Self.segmentCountMax {
                ListState(at: pointer).restartSegments()
                noteCleared(row, slot)
            }
        } else {
            MapState(at: pointer).setStored()
        }
        return pointer
    }

    private func addStored(
        _ key: UnsafeRawBufferPointer,
        _ value: UnsafeRawBufferPointer,
        to pointer: UnsafeMutableRawPointer,
        isList: Bool
    ) -> Bool {
        guard isList else {
            MapState(at: pointer).put(key, value, in: &pool)
            return true
        }
        guard key.count == EntryKey.segmentByteCount, let bytes = key.baseAddress else {
            return false
        }
        return ListState(at: pointer).appendStored(
            value,
            number: EntryKey.loadBigEndian(bytes, as: UInt64.self),
            in: &pool
        )
    }
}
