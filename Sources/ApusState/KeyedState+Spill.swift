import ApusCore
import ApusMemory
import ApusStore
import CApusPlugin
import CApusShims

// Rows on their way between memory and the spill log.
//
// SAFETY: a record in the log is read and written as a whole; a row is copied out of it before the
// log is asked for anything else.
extension KeyedState {
    /// Moves a row from memory to the log.
    ///
    /// Between callbacks.
    ///
    /// - Returns: False when it stays: it is empty, too long, or the disk is full.
    func spill(_ row: Row, _ mark: RowMark, to spill: RowSpill) -> Bool {
        guard !isEmpty(row), spill.mayAppend() else { return false }
        let key = key(of: row)
        let rowByteCount = storedByteCount(row)
        let byteCount = SpillRecord.byteCount(
            keyByteCount: key.count,
            rowByteCount: rowByteCount
        )
        guard byteCount <= SpillLog.recordByteCountMax else { return false }
        let standing = standing(row, mark, spill)
        let location: Int
        do throws(StoreError) {
            let added = try spill.log.append(byteCount: byteCount)
            spill.noteAppended()
            location = added.location
            let target = SpillRecord.begin(
                at: added.place,
                hash: row.load(as: UInt64.self),
                keyByteCount: key.count,
                rowByteCount: rowByteCount,
                standing
            )
            if let bytes = key.baseAddress { memcpy(target, bytes, key.count) }
            writeStored(row, to: target + key.count, rowByteCount)
        } catch {
            // Rows stay in memory, and the budget is exceeded, until there is space again.
            spill.noteRefused()
            return false
        }
        spill.index.insert(row.load(as: UInt64.self), location)
        freeValues(of: row)
        freeKey(row)
        table.remove(row)
        return true
    }

    private func freeValues(of row: Row) {
        var left = present(row)
        while left != 0 {
            let slot = left.trailingZeroBitCount
            left &= left &- 1
            if layout.slots[slot].kind == .value { free(slot, of: row) }
        }
    }

    /// How a row stands to the database, for its record; what a snapshot waits for is encoded.
    private func standing(_ row: Row, _ mark: RowMark, _ spill: RowSpill) -> SpillRecord.Standing {
        var mark = mark
        let parity = RowMark(rawValue: tracking.pointee.writtenPattern).intersection(.parity)
        if mark.contains(.dirty), mark.intersection(.parity) != parity {
            encode(row)
            mark = self.mark(row)
        }
        return SpillRecord.Standing(
            epoch: mark.contains(.dirty) ? spill.epoch : 0,
            flush: openFlush(mark),
            isStored: mark.contains(.stored)
        )
    }

    /// The number of the flush that a row waits for; 0 when there is none.
    private func openFlush(_ mark: RowMark) -> Int {
        guard mark.contains(.inFlight) else { return 0 }
        let completed = progress.completed
        let behind = Int8(bitPattern: UInt8(truncatingIfNeeded: completed) &- mark.flush)
        return behind >= 0 ? 0 : completed - Int(behind)
    }

    // MARK: - Back into memory

    /// Brings the rows of records `first ...` that memory does not have and the log has.
    func loadSpilled(_ spill: RowSpill, _ batch: UnsafePointer<apus_batch>, from first: Int) {
        guard spill.index.count > 0, let keys = batch.pointee.key,
            let hashes = batch.pointee.key_hash
        else { return }
        for index in first..<recordCount where rows[index] == nil {
            spill.index.prefetch(hashes[index])
        }
        for index in first..<recordCount where rows[index] == nil && hasKey(UInt32(index)) {
            let row = load(spill, hashes[index], keys + index, batch.pointee.buffers)
            if let row { useRow(row, forRecord: index) }
        }
    }

    /// Brings a key's row out of the log; nil when the log does not have it.
    func load(
        _ spill: RowSpill,
        _ hash: UInt64,
        _ key: UnsafePointer<apus_view>,
        _ buffers: UnsafePointer<UnsafePointer<UInt8>?>?
    ) -> Row? {
        var place = 0
        while let location = spill.index.next(hash, &place) {
            do throws(StoreError) {
                let record = try spill.log.read(location)
                guard record.hash == hash, isKey(record.key, key, buffers) else { continue }
                guard let row = load(record.row, hash: hash, key: key, buffers) else { return nil }
                spill.index.remove(hash, location)
                spill.log.release(location, byteCount: record.byteCount)
                resume(row, record, spill)
                return row
            } catch {
                fail(error)
                return nil
            }
        }
        return nil
    }

    private func isKey(
        _ stored: UnsafeRawBufferPointer,
        _ key: UnsafePointer<apus_view>,
        _ buffers: UnsafePointer<UnsafePointer<UInt8>?>?
    ) -> Bool {
        guard stored.count == Int(key.pointee.len) else { return false }
        guard let bytes = stored.baseAddress, stored.count > 0 else { return true }
        return memcmp(bytes, apus_view_data(key, buffers), stored.count) == 0
    }

    /// Gives a row that was loaded the standing that its record had.
    private func resume(_ row: Row, _ record: SpillRecord, _ spill: RowSpill) {
        let standing = capture(record, spill)
        var mark = mark(row).intersection(.listed)
        mark.insert(.referenced)
        if standing.isStored { mark.insert(.stored) }
        if standing.flush > progress.completed {
            mark.insert(.inFlight)
            mark.flush = UInt8(truncatingIfNeeded: standing.flush)
        }
        if standing.epoch != 0 {
            let parity = RowMark(rawValue: tracking.pointee.writtenPattern).intersection(.parity)
            mark.insert(.dirty)
            mark.formUnion(parity)
            if !mark.contains(.listed(parity)) {
                tracking.pointee.current.append(row)
                mark.insert(.listed(parity))
            }
        }
        setMark(row, mark)
    }

    /// How a record stands to the database now.
    ///
    /// One of the epoch whose snapshot is under way is put into the snapshot, if it is not there.
    func capture(_ record: SpillRecord, _ spill: RowSpill) -> SpillRecord.Standing {
        var standing = record.standing
        guard standing.epoch != 0, standing.epoch != spill.epoch else { return standing }
        if tracking.pointee.isSnapshotting, standing.epoch == spill.epoch - 1 {
            // Maybe a second time: it is the same row.
            encode(record, spill)
        }
        standing.epoch = 0
        standing.flush = spill.captureFlush
        standing.isStored = true
        return standing
    }

    /// Puts a record's row into the buffer for the database.
    func encode(_ record: SpillRecord, _ spill: RowSpill) {
        let key = record.key
        let row = record.row
        let target = tracking.pointee.buffer.put(
            keyByteCount: EntryKey.rowPrefixByteCount + key.count,
            valueByteCount: row.count
        )
        EntryKey.writeRow(
            to: target.key,
            group: groups.group(ofHash: record.hash),
            operatorNumber: operatorNumber,
            key: key
        )
        if let bytes = row.baseAddress { memcpy(target.value, bytes, row.count) }
        spill.captureFlush = tracking.pointee.nextFlush
    }
}
