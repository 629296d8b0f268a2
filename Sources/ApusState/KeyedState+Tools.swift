package import ApusMemory
import CApusPlugin
import CApusShims

// What tools do with the state of a running job, between its callbacks.
//
// All goes the way of a plugin's own changes, so that snapshots, the database and eviction see it:
// a batch of keys is looked up, rows are touched before they change, emptied ones are removed at
// the end.
//
// SAFETY: rows are found by begin(_:from:) and stay until end(); the batch outlives both.
extension KeyedState {
    /// What became of a key that was to be removed.
    package enum Removal: Sendable {
        /// It, or the state of it, is gone.
        case removed
        /// It was written meanwhile, and stays.
        case touched
        /// There was nothing any more.
        case missing
    }

    /// Removes keys, or a state of them, that were not written since a time.
    ///
    /// - Parameters:
    ///   - keys: A record for each key, without values.
    ///   - written: When each was last written, in seconds as ``CoarseTime`` counts them: one
    ///     with another time was written since, and stays.
    ///   - slot: The state that alone goes; nil for everything, timers included.
    /// - Returns: What became of each.
    package func removeUntouched(
        _ keys: RecordBatch,
        written: ArraySlice<UInt32>,
        slot: Int?
    ) -> [Removal] {
        withRows(of: keys) { index in
            guard let row = row(UInt32(index)), !isEmpty(row) else { return .missing }
            let time = (row + RowLayout.writtenOffset).load(as: UInt32.self)
            guard time == written[written.startIndex + index] else { return .touched }
            guard let slot else {
                removeAll(of: row)
                return .removed
            }
            guard slot < layout.slots.count, holds(row, slot: slot) else { return .missing }
            return clear(UInt32(slot), UInt32(index)) == APUS_OK ? .removed : .missing
        }
    }

    /// What became of a key that was to be put back.
    package enum Restoration: Sendable {
        /// It is there again.
        case restored
        /// It has something now, which stays.
        case occupied
        /// What it had does not fit what the operator declares, or there is no room.
        case unfit
    }

    /// Puts back what keys had, where they have nothing now.
    ///
    /// Times to live begin again, and the last write is now.
    ///
    /// - Parameters:
    ///   - keys: A record for each key, without values.
    ///   - contents: What each had.
    /// - Returns: What became of each.
    package func restore(
        _ keys: RecordBatch,
        _ contents: ArraySlice<KeyImage>
    ) -> [Restoration] {
        withRows(of: keys) { index in
            let image = contents[contents.startIndex + index]
            guard !isOccupied(UInt32(index), by: image) else { return .occupied }
            var code = APUS_OK
            for value in image.values where code == APUS_OK {
                code = put(value, UInt32(index))
            }
            for timer in image.timers where code == APUS_OK {
                code = timer.payload.withUnsafeBytes {
                    timerSet(
                        UInt32(clamping: timer.name),
                        timer.id,
                        UInt32(index),
                        timer.timeMicroseconds,
                        $0.baseAddress,
                        UInt64($0.count)
                    )
                }
            }
            return code == APUS_OK ? .restored : .unfit
        }
    }

    /// Counts the keys of each state among some of the rows in memory, evenly chosen.
    ///
    /// - Parameter rowCountMax: How many rows are looked at.
    /// - Returns: The counts.
    package func sample(rowCountMax: Int) -> StateSample {
        var sample = StateSample(slotCount: layout.slots.count)
        sample.rowCount = table.rowCount
        let end = table.rowNumberEnd
        guard end > 0, rowCountMax > 0 else { return sample }
        let step = max(1, (end + rowCountMax - 1) / rowCountMax)
        for number in stride(from: 0, to: end, by: step) {
            let row = table.row(numbered: number)
            guard !mark(row).contains(.free) else { continue }
            sample.lookedAtCount += 1
            var left = present(row)
            while left != 0 {
                sample.slotCounts[left.trailingZeroBitCount] += 1
                left &= left &- 1
            }
        }
        return sample
    }

    /// Takes some of the rows in memory apart, evenly chosen.
    ///
    /// Between callbacks.
    ///
    /// - Parameter rowCountMax: How many rows at most.
    /// - Returns: What the keys have.
    package func images(rowCountMax: Int) -> [KeyImage] {
        let end = table.rowNumberEnd
        guard end > 0, rowCountMax > 0 else { return [] }
        let step = max(1, (end + rowCountMax - 1) / rowCountMax)
        return stride(from: 0, to: end, by: step).compactMap { number in
            let row = table.row(numbered: number)
            return mark(row).contains(.free) || isEmpty(row) ? nil : image(of: row)
        }
    }

    // MARK: - Parts

    private func withRows<Outcome>(
        of keys: RecordBatch,
        _ body: (Int) -> Outcome
    ) -> [Outcome] {
        KeyHash.fill(keys)
        var view = keys.view(input: 0, isKeyed: true)
        return withUnsafePointer(to: &view) { pointer in
            begin(pointer, from: 0)
            defer { end() }
            return (0..<keys.count).map(body)
        }
    }

    func removeAll(of row: Row) {
        touch(row)
        var left = present(row)
        while left != 0 {
            let slot = left.trailingZeroBitCount
            left &= left &- 1
            free(slot, of: row)
            if isCollection(slot) { noteCleared(row, slot) }
        }
        setPresent(row, 0)
        disarmAll(of: row, .event)
        disarmAll(of: row, .processing)
        noteEmptied(row)
    }

    private func disarmAll(of row: Row, _ domain: TimerDomain) {
        guard layout.timersOffset(domain, part: 8) > 0 else { return }
        let queue = queue(domain)
        while let timer = queue.first(of: row) {
            freePayload(of: timer.pointee)
            queue.remove(timer)
            addTimers(to: row, -1)
            if domain == .event {
                tracking.pointee.totals.eventTimerCount -= 1
            } else {
                tracking.pointee.totals.processingTimerCount -= 1
            }
        }
    }

    /// Whether a key has something in the place of what it is to get back.
    private func isOccupied(_ record: UInt32, by image: KeyImage) -> Bool {
        guard let row = row(record), !isEmpty(row) else { return false }
        guard !image.isWhole else { return true }
        return image.values.contains { value in
            var code = APUS_OK
            return value.slot >= layout.slots.count
                || existing(UInt32(value.slot), record, &code) != nil
        }
    }

    private func put(_ value: KeyImage.Value, _ record: UInt32) -> Int32 {
        let slot = UInt32(clamping: value.slot)
        switch value.content {
        case .bytes(let bytes):
            return bytes.withUnsafeBytes {
                valuePut(slot, record, $0.baseAddress, UInt64($0.count))
            }
        case .number(let number):
            return counterAdd(slot, record, number, nil)
        case .list(let elements):
            for element in elements {
                let code = element.withUnsafeBytes {
                    listAppend(slot, record, $0.baseAddress, UInt64($0.count))
                }
                guard code == APUS_OK else { return code }
            }
        case .map(let entries):
            for entry in entries {
                let code = entry.key.withUnsafeBytes { key in
                    entry.value.withUnsafeBytes { value in
                        mapPut(
                            slot,
                            record,
                            key.baseAddress,
                            UInt64(key.count),
                            value.baseAddress,
                            UInt64(value.count)
                        )
                    }
                }
                guard code == APUS_OK else { return code }
            }
        }
        return APUS_OK
    }
}
