import ApusMemory
package import CApusPlugin
import CApusShims

// SAFETY: a timer pins its row (the row counts its timers and is removed only at none), and owns
// its payload, a block of the pool, from timerSet to disarming or firing.
extension KeyedState {
    /// Sets or replaces a timer of a record's key; an `APUS_` code.
    func timerSet(
        _ name: UInt32,
        _ id: UInt64,
        _ record: UInt32,
        _ time: Int64,
        _ payload: UnsafeRawPointer?,
        _ length: UInt64
    ) -> Int32 {
        guard Int(name) < timerDomains.count, hasKey(record), payload != nil || length == 0 else {
            return APUS_UNSUPPORTED
        }
        guard length < UInt64(Int32.max) else { return APUS_LIMIT }
        guard let row = makeRow(record) else { return APUS_LIMIT }
        touch(row)
        let queue = queue(timerDomains[Int(name)])
        var copy: UnsafeMutableRawPointer?
        if length > 0, let payload {
            let block = pool.allocate(Int(length))
            memcpy(block, payload, Int(length))
            copy = block
        }
        // A key without timers needs no look-up.
        if timerCount(of: row) > 0, let armed = queue.find(row, name, id) {
            freePayload(of: armed.pointee)
            armed.pointee.payload = copy
            armed.pointee.payloadByteCount = UInt32(length)
            queue.move(armed, to: time)
            return APUS_OK
        }
        let entry = TimerQueue.Entry(
            time: time,
            id: id,
            row: row,
            payload: copy,
            payloadByteCount: UInt32(length),
            name: name,
            heapIndex: 0,
            next: -1
        )
        guard queue.insert(entry) else {
            freePayload(of: entry)
            noteEmptied(row)
            return APUS_LIMIT
        }
        addTimers(to: row, 1)
        countTimers(timerDomains[Int(name)], 1)
        return APUS_OK
    }

    func countTimers(_ domain: TimerDomain, _ change: Int) {
        if domain == .event {
            tracking.pointee.totals.eventTimerCount += change
        } else {
            tracking.pointee.totals.processingTimerCount += change
        }
    }

    /// Cancels a timer of a record's key; an `APUS_` code.
    func timerCancel(_ name: UInt32, _ id: UInt64, _ record: UInt32) -> Int32 {
        guard Int(name) < timerDomains.count, hasKey(record) else { return APUS_UNSUPPORTED }
        let queue = queue(timerDomains[Int(name)])
        guard let row = row(record), let armed = queue.find(row, name, id) else {
            return APUS_NOT_FOUND
        }
        touch(row)
        freePayload(of: armed.pointee)
        queue.remove(armed)
        addTimers(to: row, -1)
        countTimers(timerDomains[Int(name)], -1)
        if timerCount(of: row) == 0, present(row) == 0 { noteEmptied(row) }
        return APUS_OK
    }

    func freePayload(of entry: TimerQueue.Entry) {
        guard let payload = entry.payload else { return }
        pool.deallocate(payload, Int(entry.payloadByteCount))
    }

    /// Takes timers that are due into a ``TimerBatch``, in their order, at most one per key: the
    /// batch ends before a key's second timer, because what the plugin does at the first one
    /// may change the second one.
    ///
    /// Must be followed by ``begin(_:)`` and ``end()`` around the callback, which also removes the
    /// rows whose last timer this was.
    ///
    /// - Parameters:
    ///   - domain: Event time or processing time.
    ///   - time: Timers up to and including this time are due.
    ///   - batch: Emptied first.
    /// - Returns: Whether there was any.
    package func takeDue(
        _ domain: TimerDomain,
        upTo time: Int64,
        into batch: TimerBatch
    ) -> Bool {
        let queue = queue(domain)
        batch.reset()
        noteFiring(domain, upTo: time)
        let due = hasOrigins ? adoptDue(domain, upTo: time) : time
        // Timers of keys that are not in memory come first when they are due first.
        var limit = hasColdTimers(domain) ? loadColdTimers(domain, upTo: due) : due
        while batch.count < batch.capacity {
            if queue.count == 0 || queue.nextTime > limit {
                guard limit < due, failure == nil else { break }
                limit = loadColdTimers(domain, upTo: due)
                guard queue.count > 0, queue.nextTime <= limit else { break }
            }
            let entry = queue.first
            let row = entry.pointee.row
            guard batch.mark(row) else { break }
            touch(row)
            let payload = UnsafeRawBufferPointer(
                start: entry.pointee.payload,
                count: Int(entry.pointee.payloadByteCount)
            )
            guard
                batch.append(
                    row: row,
                    key: key(of: row),
                    hash: row.load(as: UInt64.self),
                    time: entry.pointee.time,
                    payload: payload,
                    name: entry.pointee.name,
                    id: entry.pointee.id
                )
            else { break }
            freePayload(of: entry.pointee)
            queue.remove(entry)
            addTimers(to: row, -1)
            countTimers(domain, -1)
        }
        if batch.count == 0 { noteFiring(domain, upTo: .min) }
        // Rows that were moved may have been re-planned, and others be due all the same.
        return batch.count > 0 || (due < time && failure == nil)
    }

    private func noteFiring(_ domain: TimerDomain, upTo time: Int64) {
        if domain == .event {
            tracking.pointee.firingEventTime = time
        } else {
            tracking.pointee.firingProcessingTime = time
        }
    }

    /// Begins a callback with timers: their rows are known at the first one.
    ///
    /// At further ones, after a yield, they are looked up, because ``end()`` has removed those that
    /// held nothing.
    package func begin(_ timers: TimerBatch, _ view: UnsafePointer<apus_batch>) {
        guard timers.areRowsKnown else { return begin(view, from: 0) }
        timers.areRowsKnown = false
        begin(view, from: timers.count)
        for index in 0..<timers.count {
            let row = timers.rows[index]
            useRow(row, forRecord: index)
            if timerCount(of: row) == 0, present(row) == 0 { noteEmptied(row) }
        }
    }
}
