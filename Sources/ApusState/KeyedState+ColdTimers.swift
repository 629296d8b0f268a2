import ApusMemory
import ApusStore
import CApusPlugin
import CApusShims

// Timers of keys that are not in memory.
//
// The database has one wake-up entry for each key with timers, under the time of its first timer,
// in the order of times.  When event time or the clock comes near, the keys are loaded, and with
// them all their timers.  So a job may have more timers than fit into memory, and starts without
// loading any.
extension KeyedState {
    /// Keys that are loaded at a time.
    private static let keysPerLoad = 4096

    /// No timer of a key that is not in memory is due before this time.
    @inline(__always)
    func coldTime(_ domain: TimerDomain) -> Int64 {
        domain == .event ? tracking.pointee.coldEventTime : tracking.pointee.coldProcessingTime
    }

    /// Whether there may be keys with timers that are not in memory.
    @inline(__always)
    func hasColdTimers(_ domain: TimerDomain) -> Bool {
        domain == .event
            ? tracking.pointee.hasColdEventTimers : tracking.pointee.hasColdProcessingTimers
    }

    private func setColdTime(_ domain: TimerDomain, _ time: Int64?, resume: [UInt8]?) {
        let hasAny = time != nil
        let time = time ?? .max
        if domain == .event {
            tracking.pointee.hasColdEventTimers = hasAny
            tracking.pointee.coldEventTime = time
            tracking.pointee.coldEventEntry = resume
        } else {
            tracking.pointee.hasColdProcessingTimers = hasAny
            tracking.pointee.coldProcessingTime = time
            tracking.pointee.coldProcessingEntry = resume
        }
    }

    /// Notes that a key left memory whose first timer is due at a time.
    func noteEvicted(_ domain: TimerDomain, wake: Int64) {
        // Later than the entry at which loading goes on: it will come by.
        guard !hasColdTimers(domain) || wake <= coldTime(domain) else { return }
        setColdTime(domain, wake, resume: nil)
    }

    /// Loads keys with timers that are due, enough of them for the next ones to be in the queue.
    ///
    /// - Returns: Up to when the queue has all timers that are armed, at most `time`.
    func loadColdTimers(_ domain: TimerDomain, upTo time: Int64) -> Int64 {
        // Not more than that: what fires in one call is less than what is loaded in one.
        while hasColdTimers(domain), failure == nil,
            coldTime(domain) <= min(time, queue(domain).nextTime)
        {
            loadDue(domain, upTo: time)
        }
        guard hasColdTimers(domain), coldTime(domain) <= time else { return time }
        return coldTime(domain) - 1
    }

    /// Loads keys whose first timer is due, up to a number of them; ``coldTime(_:)`` is the time of
    /// the first one that was left out, or later than `time`.
    private func loadDue(_ domain: TimerDomain, upTo time: Int64) {
        guard let tier else { return }
        var keys: [(hash: UInt64, group: Int, bytes: [UInt8])] = []
        var next: Int64?
        var nextEntry: [UInt8]?
        do throws(StoreError) {
            try withWakeBounds(domain, tier.operatorNumber) { (from, to) throws(StoreError) in
                try tier.database.scan(from: from, to: to) { entry, _ in
                    guard let wake = EntryKey.readWake(entry) else { return true }
                    guard tier.groups.contains(wake.group) else { return true }
                    let hash = KeyHash.of(wake.key)
                    let isKnown = withView(of: wake.key) { table.find(hash, $0, $1) != nil }
                    if isKnown { return true }
                    if wake.time > time || keys.count == Self.keysPerLoad {
                        next = wake.time
                        nextEntry = Array(entry)
                        return false
                    }
                    keys.append((hash, wake.group, Array(wake.key)))
                    return true
                }
            }
        } catch {
            return fail(error)
        }
        load(keys, tier.operatorNumber)
        setColdTime(domain, next, resume: nextEntry)
    }

    private func withWakeBounds(
        _ domain: TimerDomain,
        _ operatorNumber: UInt16,
        _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) throws(StoreError) -> Void
    ) throws(StoreError) {
        let length = EntryKey.wakePrefixByteCount
        let bounds = UnsafeMutableRawBufferPointer.allocate(byteCount: 2 * length, alignment: 8)
        // SAFETY: two keys without the part that is a user's key, which is what `length` counts.
        defer { bounds.deallocate() }
        guard let start = bounds.baseAddress else { return }
        let none = UnsafeRawBufferPointer(start: nil, count: 0)
        EntryKey.writeWake(
            to: start,
            operatorNumber: operatorNumber,
            domain: domain,
            time: coldTime(domain),
            group: 0,
            key: none
        )
        EntryKey.writeWake(
            to: start + length,
            operatorNumber: operatorNumber,
            domain: domain,
            time: .max,
            group: 0xffff,
            key: none
        )
        let end = UnsafeRawBufferPointer(start: start + length, count: length)
        let resume =
            domain == .event
            ? tracking.pointee.coldEventEntry : tracking.pointee.coldProcessingEntry
        guard let resume else {
            return try body(UnsafeRawBufferPointer(start: start, count: length), end)
        }
        let first = UnsafeMutableRawBufferPointer.allocate(byteCount: resume.count, alignment: 1)
        defer { first.deallocate() }
        first.copyBytes(from: resume)
        try body(UnsafeRawBufferPointer(first), end)
    }

    private func load(
        _ keys: [(hash: UInt64, group: Int, bytes: [UInt8])],
        _ operatorNumber: UInt16
    ) {
        guard !keys.isEmpty else { return }
        reserveKeys(keys.reduce(0) { $0 + EntryKey.rowPrefixByteCount + $1.bytes.count })
        for (index, key) in keys.enumerated() {
            key.bytes.withUnsafeBytes {
                appendLookUp($0, group: key.group, record: index, operatorNumber: operatorNumber)
            }
        }
        lookUp { index, value in
            let key = keys[index]
            key.bytes.withUnsafeBytes { bytes in
                withView(of: bytes) { view, buffers in
                    guard table.find(key.hash, view, buffers) == nil else { return }
                    // A row that cannot be loaded has noted the failure.
                    _ = load(value, hash: key.hash, key: view, buffers)
                }
            }
        }
    }

    /// Calls `body` with a view of a key, and the buffers that a long key's view refers to.
    func withView<Result>(
        of key: UnsafeRawBufferPointer,
        _ body: (UnsafePointer<apus_view>, UnsafePointer<UnsafePointer<UInt8>?>) -> Result
    ) -> Result {
        // SAFETY: view and buffer are used during the call only.
        var view = apus_view()
        if key.count <= Int(APUS_VIEW_INLINE) {
            apus_view_inline(&view, key.baseAddress, UInt32(key.count))
        } else {
            view.len = UInt32(key.count)
            var reference = apus_view_reference()
            withUnsafeMutableBytes(of: &reference.prefix) { prefix in
                prefix.copyBytes(from: key.prefix(4))
            }
            view.u.ref = reference
        }
        var buffer = key.baseAddress?.assumingMemoryBound(to: UInt8.self)
        return withUnsafePointer(to: &view) { view in
            withUnsafePointer(to: &buffer) { body(view, $0) }
        }
    }
}
