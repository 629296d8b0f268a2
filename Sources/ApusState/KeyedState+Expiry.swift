// State with a time to live.
//
// A slot with a rule has a stamp in its row, the second of its last refresh.  What has expired is
// dropped when it is asked for, and by a sweep that looks at a few rows after each batch.  Rows
// that are in the database alone and hold nothing but values that expire by the clock on the wall
// are dropped by its compactions; others when they are loaded.
//
// SAFETY: the stamp of a slot lies where RowLayout says, in rows of this table that are in use.
extension KeyedState {
    /// Rows that a sweep looks at each time.
    private static let rowsPerSweep = 64

    private func now(_ rule: SlotExpiry) -> UInt32 {
        rule.domain == .event ? tracking.pointee.eventNow : tracking.pointee.now
    }

    func stamp(_ row: Row, _ slot: Int) -> UnsafeMutableRawPointer {
        row + layout.stampOffsets[slot]
    }

    func hasExpired(_ row: Row, _ slot: Int, _ rule: SlotExpiry) -> Bool {
        let expires = UInt64(stamp(row, slot).load(as: UInt32.self)) + UInt64(rule.ttlSeconds)
        return UInt64(now(rule)) >= expires
    }

    /// Whether what a slot holds may be read; drops it when it has expired.
    func isAlive(_ row: Row, _ slot: Int) -> Bool {
        guard let rule = layout.slots[slot].expiry else { return true }
        if hasExpired(row, slot, rule) {
            expire(row, slot)
            return false
        }
        if rule.isRefreshedByReads { refresh(row, slot, rule) }
        return true
    }

    /// Prepares a slot for a write: what has expired goes, and the time to live begins again.
    func prepareWrite(_ row: Row, _ slot: Int) {
        guard let rule = layout.slots[slot].expiry else { return }
        if holds(row, slot: slot), hasExpired(row, slot, rule) { expire(row, slot) }
        refresh(row, slot, rule)
    }

    private func refresh(_ row: Row, _ slot: Int, _ rule: SlotExpiry) {
        let now = now(rule)
        guard stamp(row, slot).load(as: UInt32.self) != now else { return }
        touch(row)
        stamp(row, slot).storeBytes(of: now, as: UInt32.self)
    }

    private func expire(_ row: Row, _ slot: Int) {
        touch(row)
        free(slot, of: row)
        if isCollection(slot) { noteCleared(row, slot) }
        setPresent(row, present(row) & ~(1 &<< UInt32(slot)))
        tracking.pointee.expiredCount += 1
        if isEmpty(row) { noteEmptied(row) }
    }

    /// When a row may be dropped as a whole by the clock on the wall; 0 for never.
    func expiryOfRow(_ row: Row) -> UInt32 {
        guard hasExpiry, timerCount(of: row) == 0 else { return 0 }
        var latest: UInt32 = 0
        var left = present(row)
        while left != 0 {
            let slot = left.trailingZeroBitCount
            left &= left &- 1
            guard let rule = layout.slots[slot].expiry, rule.domain == .processing,
                !isCollection(slot)
            else { return 0 }
            let stamp = stamp(row, slot).load(as: UInt32.self)
            latest = max(latest, stamp.addingReportingOverflow(rule.ttlSeconds).partialValue)
        }
        return latest
    }

    /// Values that have expired and were dropped so far, those that compactions dropped not
    /// included.
    package var expiredCount: Int { tracking.pointee.expiredCount }

    /// Looks at some rows in memory and drops what has expired.
    ///
    /// Between callbacks.
    func sweepExpired() {
        let end = table.rowNumberEnd
        guard end > 0 else { return }
        for _ in 0..<min(Self.rowsPerSweep, end) {
            let number = tracking.pointee.sweep < end ? tracking.pointee.sweep : 0
            tracking.pointee.sweep = number + 1
            let row = table.row(numbered: number)
            if mark(row).contains(.free) { continue }
            var left = present(row)
            while left != 0 {
                let slot = left.trailingZeroBitCount
                left &= left &- 1
                guard let rule = layout.slots[slot].expiry, hasExpired(row, slot, rule) else {
                    continue
                }
                expire(row, slot)
            }
        }
        removeEmptied()
    }
}
