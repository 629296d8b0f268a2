package import ApusCore
package import ApusStore
import CApusShims

// Which rows the database does not have as they are, and snapshots of them.
//
// A write makes its row dirty and puts it on the list of the epoch.  A barrier swaps the lists,
// which is all that it costs; the rows of the old list are then encoded in slices between batches.
// One that is written before its turn is encoded first: the snapshot has what was there when the
// barrier came.  All on one thread, so no row is ever locked.
extension KeyedState {
    /// The largest part of a snapshot that is handed over at once.
    static let submissionByteCount = 4 << 20
    /// How many rows ahead memory is fetched.
    private static let prefetchDistance = 16
    /// The most flushes on their way: what a row's mark can tell apart, and some.
    private static let flushesInFlightMax = 100

    func startTracking() {
        guard let tier else { return }
        tracking.pointee.writtenMask = RowMark.writtenMask.rawValue
        tracking.pointee.writtenPattern = RowMark([.dirty, .referenced]).rawValue
        tracking.pointee.mayMiss = tier.isRestored
        if tier.isRestored {
            // Nothing is loaded: the first timer that is due brings its row, and tells the next.
            if timerDomains.contains(.event) { noteEvicted(.event, wake: .min) }
            if timerDomains.contains(.processing) { noteEvicted(.processing, wake: .min) }
        }
    }

    /// What the operator holds, as far as this subtask tells it; see ``StateTier/restored``.
    package var totals: StateTotals {
        var totals = tier?.restored ?? StateTotals()
        totals += tracking.pointee.totals
        return totals
    }

    /// What went wrong with the database; the job cannot go on.
    package var failure: StoreError? {
        if let failure = tracking.pointee.failure { return failure }
        guard hasOrigins else { return nil }
        return origins.lazy.compactMap { $0.state.tracking.pointee.failure }.first
    }

    /// Tells the time that rows which are written from now on get, and by which state expires.
    ///
    /// - Parameters:
    ///   - microseconds: Processing time.
    ///   - watermark: The operator's event time, in microseconds.
    package func setTime(microseconds: Int64, watermark: Int64) {
        tracking.pointee.now = CoarseTime(microseconds: microseconds).seconds
        if hasExpiry { tracking.pointee.eventNow = CoarseTime(microseconds: watermark).seconds }
        guard hasOrigins else { return }
        for origin in origins {
            origin.state.setTime(microseconds: microseconds, watermark: watermark)
        }
    }

    func fail(_ error: StoreError) {
        if tracking.pointee.failure == nil { tracking.pointee.failure = error }
    }

    // MARK: - Writes

    /// The rest of ``touch(_:)``: the row was not written in this epoch yet.
    @inline(never)
    func touchLate(_ row: Row) {
        var mark = mark(row)
        let parity = RowMark(rawValue: tracking.pointee.writtenPattern).intersection(.parity)
        if mark.contains(.dirty), mark.intersection(.parity) != parity {
            encode(row)
            mark = self.mark(row)
        }
        if mark.contains(.dead) {
            mark.remove(.dead)
            tracking.pointee.totals.keyCount += 1
        }
        if !mark.contains(.listed(parity)) {
            tracking.pointee.current.append(row)
            mark.insert(.listed(parity))
        }
        mark.remove(.parity)
        mark.formUnion([.dirty, .referenced])
        mark.formUnion(parity)
        setMark(row, mark)
    }

    /// Whether what was encoded of a row is in the database.
    @inline(__always)
    func isSettled(_ mark: RowMark) -> Bool {
        guard mark.contains(.inFlight) else { return true }
        let completed = UInt8(truncatingIfNeeded: progress.completed)
        return Int8(bitPattern: completed &- mark.flush) >= 0
    }

    /// Whether the database neither has a row nor will have it: it can go without a trace.
    func isUnknownToDatabase(_ row: Row) -> Bool {
        guard tier != nil else { return true }
        let mark = mark(row)
        return !mark.contains(.stored) && isSettled(mark)
    }

    /// Counts a row out that holds nothing and must stay until the database has deleted it.
    func countOut(_ row: Row) {
        var mark = mark(row)
        guard !mark.contains(.dead) else { return }
        mark.insert(.dead)
        setMark(row, mark)
        tracking.pointee.totals.keyCount -= 1
    }

    // MARK: - Snapshots

    /// Whether a snapshot is being encoded.
    package var isSnapshotting: Bool {
        tracking.pointee.isSnapshotting
            || (hasOrigins && origins.contains { $0.state.isSnapshotting })
    }

    /// Begins the snapshot of a checkpoint: state as it is now.
    ///
    /// O(1).  Between callbacks.  A snapshot that is under way is finished first.
    package func beginSnapshot(_ number: UInt64) {
        guard tier != nil else { return }
        if tracking.pointee.isSnapshotting { encodePending(until: nil) }
        tracking.pointee.barrier = number
        swap(&tracking.pointee.current, &tracking.pointee.pending)
        tracking.pointee.pendingIndex = 0
        tracking.pointee.writtenPattern ^= RowMark.parity.rawValue
        tracking.pointee.isSnapshotting = true
        spill?.beginEpoch()
        for origin in origins { origin.state.beginSnapshot(number) }
    }

    /// Goes on with a snapshot; at its end everything is with the ``StateWriter``.
    ///
    /// Between callbacks.
    ///
    /// - Parameters:
    ///   - deadline: When to stop, by `clock`'s monotonic time; the last rows may take longer.
    ///   - clock: The clock.
    package func continueSnapshot(untilNanoseconds deadline: Int64, clock: any Clock) {
        for origin in origins where clock.monotonicNanoseconds() < deadline {
            origin.state.continueSnapshot(untilNanoseconds: deadline, clock: clock)
        }
        guard tracking.pointee.isSnapshotting else { return }
        encodePending { clock.monotonicNanoseconds() >= deadline }
    }

    private func encodePending(until isTime: (() -> Bool)?) {
        let oldParity = RowMark(rawValue: ~tracking.pointee.writtenPattern).intersection(.parity)
        let expected = RowMark.dirty.union(oldParity)
        var index = tracking.pointee.pendingIndex
        let count = tracking.pointee.pending.count
        while index < count {
            let row = tracking.pointee.pending[index]
            // Rows lie where their keys came in, which is all over the memory.
            if index + Self.prefetchDistance < count {
                let later = tracking.pointee.pending[index + Self.prefetchDistance]
                apus_prefetch(later)
                apus_prefetch(later + RowLayout.slotsOffset)
            }
            index += 1
            let mark = mark(row)
            setMark(row, mark.subtracting(.listed(oldParity)))
            if mark.intersection([.dirty, .parity, .free]) == expected {
                encode(row)
                if tracking.pointee.buffer.byteCount >= Self.submissionByteCount { submit() }
            }
            if index % 32 == 0, let isTime, isTime() {
                tracking.pointee.pendingIndex = index
                return
            }
        }
        tracking.pointee.pendingIndex = count
        if let spill, !captureSpilled(spill, until: isTime) { return }
        tracking.pointee.pending.removeAll()
        tracking.pointee.pendingIndex = 0
        tracking.pointee.isSnapshotting = false
        submit(isLast: true)
    }

    /// Hands over what was encoded.
    ///
    /// - Parameter isLast: Whether it must be handed over now; otherwise it may grow on while too
    ///   much is on its way.
    func submit(isLast: Bool = false) {
        guard let tier, tracking.pointee.buffer.entryCount > 0 else { return }
        let inFlight = tracking.pointee.nextFlush - progress.completed
        guard isLast || inFlight < Self.flushesInFlightMax else { return }
        let buffer = tracking.pointee.buffer
        tracking.pointee.buffer = EntryBuffer()
        tier.writer.submit(buffer, progress, flush: tracking.pointee.nextFlush)
        tracking.pointee.nextFlush += 1
    }
}
