package import ApusCore
import ApusMemory
import ApusStore

// Rows leave memory when the worker's budget is used up, the least recently used ones first, as
// far as a clock's hand can tell (Corbató, "A Paging Experiment with the Multics System", 1968).
//
// Rows of states that spill go to the ``SpillLog``.  Of others, a row that the database has as it
// is simply goes; a dirty one is encoded first and goes once its flush is in.
extension KeyedState {
    /// Eviction begins when less than this part of the budget is free.
    private static let reserveShare = 16
    /// Rows that are looked at between two looks at the clock.
    private static let rowsPerLook = 256
    /// How many rows ahead memory is fetched.
    private static let prefetchDistance = 12
    /// The longest wait for the database at a time, in nanoseconds.
    private static let waitNanoseconds: Int64 = 50_000_000
    /// How much longer than asked for room may be made when the budget is exceeded.
    private static let pauseNanoseconds: Int64 = 1_000_000
    /// The longest wait for what is on its way to become less.
    private static let throttleNanoseconds: Int64 = 20_000_000

    /// Makes room in memory, for at most so long.
    ///
    /// Between callbacks, often; costs little when there is nothing to do.  When the budget is used
    /// up and rows are on their way into the database, waits for them.
    package func maintain(untilNanoseconds deadline: Int64, clock: any Clock) {
        if hasExpiry {
            sweepExpired()
            tier?.database.expiry?.setProcessingTime(seconds: tracking.pointee.now)
        }
        guard let tier else { return }
        for origin in origins {
            origin.state.report()
            origin.state.buryDead()
        }
        report()
        buryDead()
        if let spill { collectSpilled(spill, until: deadline, clock) }
        let limit = tier.budget.rowByteCountMax
        let reserve = limit / Self.reserveShare
        let surplus = rowByteCount(tier) - (limit - reserve)
        if surplus > 0, table.rowCount > 0 {
            evictVictims()
            // The budget comes before the time, as far as a millisecond goes.
            let isLate = surplus > reserve
            let patience = isLate ? clock.monotonicNanoseconds() + Self.pauseNanoseconds : deadline
            makeVictims(byteCount: max(surplus, reserve), max(deadline, patience), clock)
            report()
        }
        // What can be spilled need not wait for the database.
        let isFull = rowByteCount(tier) > limit && spill.map(\.isFull) ?? true
        if isFull || tier.budget.isInFlightTooLarge { waitForFlush(tier, isUrgent: isFull) }
    }

    /// Waits until something of what is on its way is in the database, but not for long.
    private func waitForFlush(_ tier: StateTier, isUrgent: Bool) {
        let completed = progress.completed
        guard completed < tracking.pointee.nextFlush - 1 else { return }
        guard isUrgent else {
            // It is being written: its thread needs a processor, and nothing else.
            tier.writer.ringWhenWritten(bell)
            return bell.sleep(nanoseconds: Self.throttleNanoseconds) {
                !tier.budget.isInFlightTooLarge
            }
        }
        tier.writer.hurry(bell)
        bell.sleep(nanoseconds: Self.waitNanoseconds) { progress.completed > completed }
        evictVictims()
        report()
    }

    /// What all rows use, without what this state has to spare.
    private func rowByteCount(_ tier: StateTier) -> Int {
        tier.budget.rowByteCount - spareByteCount
    }

    /// Makes room for the rows of a batch by spilling others, at most so many.
    ///
    /// Here, and not in ``maintain(untilNanoseconds:clock:)`` alone, because rows come in as fast
    /// as records do.
    func makeRoom(_ spill: RowSpill, rowCountMax: Int) {
        guard let tier else { return }
        report()
        let limit = tier.budget.rowByteCountMax
        let surplus = rowByteCount(tier) - (limit - limit / Self.reserveShare / 2)
        guard surplus > 0, !spill.isFull else { return }
        var left = min(rowCountMax, surplus / layout.rowByteCount + 1)
        let end = table.rowNumberEnd
        // Twice around at most: the first time may find marks of use alone.
        var looked = 0
        while left > 0, looked < min(2 * end, 4 * rowCountMax) {
            looked += 1
            let row = moveHand(end, spill)
            var mark = mark(row)
            if mark.contains(.free) { continue }
            if mark.contains(.referenced) {
                mark.remove(.referenced)
                setMark(row, mark)
            } else if self.spill(row, mark, to: spill) {
                left -= 1
            }
        }
    }

    /// Moves the clock's hand by a row, which it returns; of those that it will come to, the memory
    /// is fetched that spilling them needs.
    @inline(__always)
    private func moveHand(_ end: Int, _ spill: RowSpill?) -> Row {
        let number = tracking.pointee.hand < end ? tracking.pointee.hand : 0
        tracking.pointee.hand = number &+ 1
        if let spill, number &+ Self.prefetchDistance < end {
            // Of a place that is free it is the hash of nobody, which does no harm.
            let hash = table.row(numbered: number &+ Self.prefetchDistance).load(as: UInt64.self)
            spill.index.prefetch(hash)
            table.prefetchRemoval(ofHash: hash)
        }
        return table.row(numbered: number)
    }

    /// Tells the budget what this state uses now.
    func report() {
        guard let tier else { return }
        let lists = tracking.pointee.current.byteCount + tracking.pointee.pending.byteCount
        let now = byteCount + spareByteCount + tracking.pointee.buffer.byteCount + lists
        tier.budget.add(now - tracking.pointee.reportedByteCount)
        tracking.pointee.reportedByteCount = now
        if let spill { tier.budget.addSpillIndex(spill.reportChange()) }
    }

    /// Removes rows that hold nothing and whose deletion is in the database.
    func buryDead() {
        let completed = progress.completed
        var at = tracking.pointee.gravesDone
        let graves = tracking.pointee.graves.count
        while at < graves, tracking.pointee.graves[at].flush <= completed {
            let grave = tracking.pointee.graves[at]
            at += 1
            let mark = mark(grave.row)
            // It may have been freed, taken for another key, or written again.
            guard mark.intersection([.free, .dirty, .stored]).isEmpty, isEmpty(grave.row),
                isSettled(mark)
            else { continue }
            remove(grave.row)
        }
        tracking.pointee.gravesDone = at
        if at * 2 >= graves {
            tracking.pointee.graves.removeFirst(at)
            tracking.pointee.gravesDone = 0
        }
    }

    // MARK: - Victims

    private func evictVictims() {
        let completed = progress.completed
        var at = tracking.pointee.victimsDone
        let victims = tracking.pointee.victims.count
        while at < victims, tracking.pointee.victims[at].flush <= completed {
            let row = tracking.pointee.victims[at].row
            at += 1
            var mark = mark(row)
            guard mark.contains(.victim), !mark.contains(.free) else { continue }
            mark.remove(.victim)
            setMark(row, mark)
            if canEvict(row, mark), !mark.contains(.referenced), !isFiring(row) { evict(row) }
        }
        tracking.pointee.victimsDone = at
        if at == victims {
            tracking.pointee.victims.removeAll(keepingCapacity: true)
            tracking.pointee.victimsDone = 0
        }
    }

    /// Whether the database has a row as it is.
    private func canEvict(_ row: Row, _ mark: RowMark) -> Bool {
        mark.intersection([.stored, .dirty, .free, .dead]) == .stored && isSettled(mark)
    }

    /// Whether a row has timers that are about to be fired: brought back for that, it would be
    /// found again only by going through all that are due once more.
    private func isFiring(_ row: Row) -> Bool {
        guard timerCount(of: row) > 0 else { return false }
        return isFiring(row, .event, tracking.pointee.firingEventTime)
            || isFiring(row, .processing, tracking.pointee.firingProcessingTime)
    }

    private func isFiring(_ row: Row, _ domain: TimerDomain, _ time: Int64) -> Bool {
        guard time != .min, layout.timersOffset(domain, part: 8) > 0 else { return false }
        // Those that fire later than the first one in the database will be come by.
        let limit = min(time, coldTime(domain))
        let queue = queue(domain)
        var entry = queue.first(of: row)
        while let timer = entry {
            if timer.pointee.time <= limit { return true }
            entry = queue.next(after: timer)
        }
        return false
    }

    /// Whether what is written now may get into the database: nothing newer than a barrier may,
    /// until its checkpoint was taken.
    var mayFlush: Bool {
        guard let tier, !tracking.pointee.isSnapshotting else { return false }
        return tier.writer.releasedCheckpoint >= tracking.pointee.barrier
    }

    /// Moves the clock's hand until so many bytes were freed or will be.
    private func makeVictims(byteCount: Int, _ deadline: Int64, _ clock: any Clock) {
        // While victims wait for their flush, more of them would not help.
        guard let tier, tracking.pointee.victims.isEmpty else { return }
        let mayFlush = mayFlush
        let end = table.rowNumberEnd
        let before = self.byteCount
        var promised = 0
        var looked = 0
        while looked < 2 * end, before - self.byteCount + promised < byteCount {
            if looked % Self.rowsPerLook == 0, clock.monotonicNanoseconds() >= deadline { break }
            looked += 1
            let row = moveHand(end, spill)
            var mark = mark(row)
            if mark.contains(.free) { continue }
            if mark.contains(.dead) {
                // It goes as soon as the database has deleted it.
                guard mayFlush, mark.contains(.dirty) else { continue }
                encode(row)
                promised += layout.rowByteCount
            } else if mark.contains(.referenced) {
                mark.remove(.referenced)
                setMark(row, mark)
            } else if let spill, self.spill(row, mark, to: spill) {
                continue
            } else if isFiring(row) {
                continue
            } else if canEvict(row, mark) {
                evict(row)
            } else if mayFlush, mark.contains(.dirty), !isEmpty(row) {
                encode(row)
                mark = self.mark(row)
                mark.insert(.victim)
                setMark(row, mark)
                promised += layout.rowByteCount
                tracking.pointee.victims.append(
                    RowTracking.Waiting(row: row, flush: tracking.pointee.nextFlush)
                )
            }
        }
        if promised > 0 {
            submit(isLast: true)
            tier.writer.hurry(bell)
        }
    }

    /// Drops a row from memory that the database has as it is.
    private func evict(_ row: Row) {
        var left = present(row)
        while left != 0 {
            let slot = left.trailingZeroBitCount
            left &= left &- 1
            free(slot, of: row)
        }
        if timerCount(of: row) > 0 {
            evictTimers(of: row, .event)
            evictTimers(of: row, .processing)
        }
        freeKey(row)
        table.remove(row)
        tracking.pointee.mayMiss = true
    }

    private func evictTimers(of row: Row, _ domain: TimerDomain) {
        guard layout.timersOffset(domain, part: 8) > 0 else { return }
        let queue = queue(domain)
        guard queue.first(of: row) != nil else { return }
        while let timer = queue.first(of: row) {
            freePayload(of: timer.pointee)
            queue.remove(timer)
        }
        let wake = (row + layout.timersOffset(domain, part: 0)).load(as: Int64.self)
        noteEvicted(domain, wake: wake)
    }
}
