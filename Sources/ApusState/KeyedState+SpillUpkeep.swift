import ApusCore
import ApusStore
import CApusShims

// Snapshots of spilled rows, and the taking back of segments of their log.
//
// SAFETY: a window holds a whole segment; records in it are walked from its start by their lengths.
extension KeyedState {
    /// Records that are looked at between two looks at the clock.
    private static let recordsPerLook = 32

    // MARK: - Snapshots

    /// Goes on putting the rows that were spilled in a snapshot's epoch into the snapshot.
    ///
    /// - Returns: Whether that is done.
    func captureSpilled(_ spill: RowSpill, until isTime: (() -> Bool)?) -> Bool {
        let end = spill.captureEnd
        var looked = 0
        while spill.captured.precedes(end) {
            let first = spill.log.sequences.lowerBound
            if spill.captured.sequence < first {
                // Taken back meanwhile, and what belonged to the snapshot put into it.
                spill.captured = RowSpill.Position(sequence: first)
                continue
            }
            let sequence = spill.captured.sequence
            if spill.log.isDead(sequence) {
                spill.captured = RowSpill.Position(sequence: sequence + 1)
                continue
            }
            do throws(StoreError) {
                try spill.load(&spill.captureWindow, sequence)
            } catch {
                fail(error)
                return true
            }
            let window = spill.captureWindow
            let limit = sequence == end.sequence ? end.offset : window.byteCount
            while spill.captured.offset < limit {
                if looked % Self.recordsPerLook == 31, let isTime, isTime() { return false }
                looked += 1
                capture(at: spill.captured.offset, window, spill)
            }
            spill.captured = RowSpill.Position(sequence: sequence + 1)
        }
        // The last segment may grow on; the next snapshot reads it again.
        spill.captureWindow.sequence = -1
        return true
    }

    private func capture(at offset: Int, _ window: RowSpill.Window, _ spill: RowSpill) {
        guard let memory = window.memory else { preconditionFailure("the segment was brought") }
        let record = SpillRecord(start: memory + offset)
        spill.captured.offset += record.byteCount
        guard record.epoch == spill.epoch - 1,
            spill.index.contains(record.hash, window.location + offset / 8)
        else { return }
        encode(record, spill)
        if tracking.pointee.buffer.byteCount >= Self.submissionByteCount { submit() }
    }

    // MARK: - Taking segments back

    /// Takes segments back whose rows have mostly left, oldest first; when the index is too large,
    /// leaves the oldest rows to the database.
    func collectSpilled(_ spill: RowSpill, until deadline: Int64, _ clock: any Clock) {
        // Not those that are begun meanwhile: what moves to the end is not moved again.
        let end = spill.log.sequences.upperBound - 1
        while spill.log.sequences.lowerBound < end, mustCollect(spill) {
            let sequence = spill.log.sequences.lowerBound
            if spill.log.isDead(sequence) {
                spill.log.removeFirst()
                spill.collectedByteCount = 0
                continue
            }
            do throws(StoreError) {
                try spill.load(&spill.collectWindow, sequence)
                guard try collect(spill, until: deadline, clock) else { return }
            } catch {
                // Of a file that cannot be read a row will be asked for sooner or later.
                return spill.noteRefused()
            }
        }
    }

    private func mustCollect(_ spill: RowSpill) -> Bool {
        let log = spill.log
        guard log.sequences.count > 1 else { return false }
        if log.isDead(log.sequences.lowerBound) { return true }
        guard !spill.isFull else { return false }
        if log.logByteCount > 2 * log.liveByteCount + spill.slackByteCount { return true }
        guard let tier, tier.budget.isSpillIndexTooLarge else { return false }
        return mayFlush
    }

    /// Goes on with the first segment; true when nothing is left in it.
    private func collect(
        _ spill: RowSpill,
        until deadline: Int64,
        _ clock: any Clock
    ) throws(StoreError) -> Bool {
        let window = spill.collectWindow
        guard let memory = window.memory else { preconditionFailure("the segment was brought") }
        var looked = 0
        while spill.collectedByteCount < window.byteCount {
            if looked % Self.recordsPerLook == 31, clock.monotonicNanoseconds() >= deadline {
                return false
            }
            looked += 1
            let offset = spill.collectedByteCount
            let record = SpillRecord(start: memory + offset)
            let location = window.location + offset / 8
            if spill.index.contains(record.hash, location) {
                guard try moveOn(record, location, spill) else {
                    // Its flush may be waiting for more.
                    submit(isLast: true)
                    tier?.writer.hurry(bell)
                    return false
                }
            }
            spill.collectedByteCount += record.byteCount
        }
        return true
    }

    /// Moves a record to the end of the log, or leaves its row to the database.
    ///
    /// - Returns: False when it has to stay until the database has it.
    private func moveOn(
        _ record: SpillRecord,
        _ location: Int,
        _ spill: RowSpill
    ) throws(StoreError) -> Bool {
        var standing = capture(record, spill)
        let isTooLarge = tier.map(\.budget.isSpillIndexTooLarge) ?? false
        if isTooLarge, standing.epoch == 0, standing.isStored {
            guard standing.flush <= progress.completed else { return false }
            spill.index.remove(record.hash, location)
            spill.log.release(location, byteCount: record.byteCount)
            tracking.pointee.mayMiss = true
            return true
        }
        if isTooLarge, standing.epoch != 0, mayFlush {
            encode(record, spill)
            standing = SpillRecord.Standing(
                epoch: 0,
                flush: spill.captureFlush,
                isStored: true
            )
            if tracking.pointee.buffer.byteCount >= Self.submissionByteCount { submit() }
        }
        let added = try spill.log.append(byteCount: record.byteCount)
        memcpy(added.place, record.start, record.byteCount)
        SpillRecord.set(standing, at: added.place)
        spill.index.move(record.hash, from: location, to: added.location)
        spill.log.release(location, byteCount: record.byteCount)
        return true
    }
}
