package import ApusCore
import ApusMemory
import ApusStore
package import CApusPlugin
import CApusShims

/// The state and timers of an operator's keys on one subtask.
///
/// Rows are in memory; with a ``StateTier`` those that were not used for a while may be in the
/// database alone, and come back when a record or a timer needs them.  Before a callback the owner
/// calls ``begin(_:from:)`` with the batch in hand: the rows of its
/// keys are looked up at once, and each access by record index finds its row there.  After the
/// callback ``end()`` removes rows that hold nothing any more.  One thread.
package final class KeyedState {
    typealias Row = UnsafeMutableRawPointer

    /// Where the slots lie in a row.
    package let layout: RowLayout
    let table: KeyTable
    var pool = BlockPool()
    /// Armed timers by domain: event time, processing time.
    let eventTimers: TimerQueue
    let processingTimers: TimerQueue
    /// The domain of each declared timer.
    let timerDomains: [TimerDomain]
    let groups: KeyGroups
    /// The database and what belongs to it; nil for state that lives and ends in memory.
    let tier: StateTier?
    /// The operator in stored keys; kept apart because taking it out of `tier` counts references.
    let operatorNumber: UInt16
    let tracking: UnsafeMutablePointer<RowTracking>
    /// Rows that memory has no room for; nil when they go to the database at once.
    let spill: RowSpill?
    /// Whether any slot expires.
    let hasExpiry: Bool
    /// How far what was flushed has got.
    let progress = FlushProgress()
    /// Wakes this thread when it waits for the database.
    let bell = Doorbell()

    private let call: UnsafeMutablePointer<Call>
    private let usesRows: Bool
    /// How many lists and maps were ever made.
    private var collectionCount: UInt64 = 0

    // Of older versions; see KeyedState+Adoption.swift.
    /// Where rows may be that this state does not have, the newest version first.
    var origins: [StateOrigin] = []
    /// Whether there are any.
    var hasOrigins = false
    /// Whether rows here may hold nothing and an origin have what their keys hold: after a newer
    /// version had moved them, the database has not deleted them yet, and this one came back.
    var mayHideOrigins = false
    /// What is left of origins without rows.
    var dead: [DeadRows] = []
    /// The origins that it had when another state took over, with this version's migrations.
    var setAside: [StateOrigin] = []
    /// What could not be migrated and nobody has asked for yet.
    var quarantined: [QuarantinedKey] = []
    /// The keys whose records are to be set aside.
    var held: Set<[UInt8]> = []
    /// How many keys could not be migrated.
    package internal(set) var quarantinedCount = 0
    /// How many keys were moved here.
    package internal(set) var adoptedCount = 0

    /// What belongs to the callback in hand.
    ///
    /// Behind a pointer because the properties of a class are checked for exclusive access at each
    /// use, which shows at millions of uses a second.
    private struct Call {
        var batch: UnsafePointer<apus_batch>?
        /// Records in the batch; 0 between callbacks.
        var recordCount = 0
        /// The row of each record, where it is known.
        var rows: UnsafeMutablePointer<Row?>
        var rowCapacity: Int
        /// Rows that may have become empty.
        var emptied: UnsafeMutablePointer<Row>
        var emptiedCount = 0
        var emptiedCapacity: Int
    }

    var batch: UnsafePointer<apus_batch>? { call.pointee.batch }
    var recordCount: Int { call.pointee.recordCount }
    var rows: UnsafeMutablePointer<Row?> { call.pointee.rows }

    /// The two kinds of time.
    package enum TimerDomain: Sendable {
        /// Fires when the watermark has reached the time.
        case event
        /// Fires when the clock on the wall has.
        case processing
    }

    /// Creates state that holds nothing, or what its durable tier holds.
    ///
    /// - Parameters:
    ///   - slots: What the operator declared.
    ///   - timers: The domains of the timers that it declared.
    ///   - groups: The dealing of keys.
    ///   - tier: The durable tier, if any.
    package init(
        slots: [SlotDescription],
        timers: [TimerDomain],
        groups: KeyGroups,
        tier: StateTier? = nil
    ) {
        let layout = RowLayout(slots: slots, timers: timers, isDurable: tier != nil)
        self.layout = layout
        table = KeyTable(rowByteCount: layout.rowByteCount, groups: groups)
        timerDomains = timers
        self.groups = groups
        self.tier = tier
        operatorNumber = tier?.operatorNumber ?? 0
        hasExpiry = slots.contains { $0.expiry != nil }
        eventTimers = TimerQueue(firstOffset: layout.timersOffset(.event, part: 8))
        processingTimers = TimerQueue(firstOffset: layout.timersOffset(.processing, part: 8))
        tracking = .allocate(capacity: 1)
        tracking.initialize(to: RowTracking())
        spill = tier.flatMap { RowSpill(layout: layout, groups: groups, tier: $0) }
        usesRows = !slots.isEmpty || !timers.isEmpty
        // SAFETY: freed in deinit; `rows[i]` is written by begin() for every i < recordCount.
        call = .allocate(capacity: 1)
        call.initialize(
            to: Call(
                rows: .allocate(capacity: 1024),
                rowCapacity: 1024,
                emptied: .allocate(capacity: 1024),
                emptiedCapacity: 1024
            )
        )
        if tier != nil { startTracking() }
    }

    deinit {
        tier?.budget.add(-tracking.pointee.reportedByteCount)
        if let spill { tier?.budget.addSpillIndex(-spill.reportedByteCount) }
        spill?.destroy()
        tracking.pointee.destroy()
        tracking.deinitialize(count: 1)
        tracking.deallocate()
        table.destroy()
        eventTimers.destroy()
        processingTimers.destroy()
        call.pointee.rows.deallocate()
        call.pointee.emptied.deallocate()
        call.deallocate()
    }

    /// How many keys hold state or timers, in memory or not.
    ///
    /// Of a restored operator one subtask tells what all of them held, so that the sum is right.
    package var keyCount: Int {
        let own = tier == nil ? table.rowCount : totals.keyCount
        return hasOrigins ? own + originKeyCount : own
    }

    /// How many timers are armed in a domain; see ``keyCount``.
    package func timerCount(_ domain: TimerDomain) -> Int {
        let own =
            tier == nil
            ? queue(domain).count
            : domain == .event ? totals.eventTimerCount : totals.processingTimerCount
        return origins.reduce(own) { $0 + $1.state.timerCount(domain) }
    }

    /// When the next timer of a domain may be due; `Int64.max` when none is armed.
    package func nextTimerTime(_ domain: TimerDomain) -> Int64 {
        let own = min(queue(domain).nextTime, coldTime(domain))
        guard hasOrigins else { return own }
        return origins.reduce(own) { min($0, $1.state.nextTimerTime(domain)) }
    }

    /// Bytes in memory: rows, index, timers, and what hangs off the rows.
    package var byteCount: Int {
        table.byteCount + pool.usedByteCount
            + (eventTimers.count + processingTimers.count) * TimerQueue.timerByteCount
    }

    /// Bytes in memory, of older versions that are not taken over yet as well.
    package var totalByteCount: Int { origins.reduce(byteCount) { $0 + $1.state.byteCount } }

    /// Bytes that rows and values have left and others can take; the system does not get them back.
    var spareByteCount: Int {
        table.spareByteCount + pool.reservedByteCount - pool.usedByteCount
    }

    func queue(_ domain: TimerDomain) -> TimerQueue {
        domain == .event ? eventTimers : processingTimers
    }

    // MARK: - Around a callback

    /// Looks up the rows of records `first ...` of a batch, which stays as it is until ``end()``.
    package func begin(_ batch: UnsafePointer<apus_batch>, from first: Int) {
        call.pointee.batch = batch
        call.pointee.recordCount = Int(batch.pointee.count)
        guard usesRows else { return }
        if let spill { makeRoom(spill, rowCountMax: recordCount) }
        reserveRows(recordCount)
        for index in 0..<first { rows[index] = nil }
        table.find(batch, first, recordCount, into: rows)
        if let spill { loadSpilled(spill, batch, from: first) }
        if tracking.pointee.mayMiss { loadMissing(batch, from: first) }
        if hasOrigins {
            // All records, so that none is asked for within the callback.
            if first > 0 { table.find(batch, 0, first, into: rows) }
            adoptMissing(batch)
        }
    }

    /// Ends a callback: rows that hold nothing are removed, pointers into state end.
    package func end() {
        call.pointee.batch = nil
        call.pointee.recordCount = 0
        removeEmptied()
    }

    /// Removes rows that were noted because they may hold nothing any more.
    func removeEmptied() {
        guard call.pointee.emptiedCount > 0 else { return }
        for index in 0..<call.pointee.emptiedCount {
            let row = call.pointee.emptied[index]
            setTimerWord(row, timerWord(row) & ~Self.isListedMark)
            guard isEmpty(row) else { continue }
            if isUnknownToDatabase(row) { remove(row) } else { countOut(row) }
        }
        call.pointee.emptiedCount = 0
    }

    /// Set in a row's timer word while the row is in `emptied`, so that it is listed once.
    private static let isListedMark: UInt32 = 1 << 31

    private func reserveRows(_ count: Int) {
        guard count > call.pointee.rowCapacity else { return }
        call.pointee.rows.deallocate()
        call.pointee.rowCapacity = count
        call.pointee.rows = .allocate(capacity: count)
    }

    /// The version of a list or map that is made: no other one, in whatever slot and at whatever
    /// time, has one that a cursor could mistake for it.
    func makeVersion() -> UInt64 {
        collectionCount &+= 1
        return collectionCount &<< 32
    }

    func useRow(_ row: Row, forRecord index: Int) {
        rows[index] = row
    }

    // MARK: - Rows

    /// The row of a record's key if it has one.
    @inline(__always)
    func row(_ record: UInt32) -> Row? {
        let index = Int(record)
        guard index < recordCount else { return nil }
        if let row = rows[index] { return row }
        return findLate(index)
    }

    /// Whether a record can have state: it is in the batch and has a key.
    @inline(__always)
    func hasKey(_ record: UInt32) -> Bool {
        guard Int(record) < recordCount, let batch, batch.pointee.key_hash != nil else {
            return false
        }
        guard let kinds = batch.pointee.kind else { return true }
        return kinds[Int(record)] & UInt8(APUS_KIND_NULL_KEY) == 0
    }

    /// The row of a record's key, made if there is none; nil when there are too many keys.
    @inline(__always)
    func makeRow(_ record: UInt32) -> Row? {
        if let row = rows[Int(record)] { return row }
        return makeRowLate(Int(record))
    }

    /// A row that an earlier record of the same batch may have made.
    private func findLate(_ index: Int) -> Row? {
        guard let batch, hasKey(UInt32(index)), let hashes = batch.pointee.key_hash,
            let keys = batch.pointee.key
        else { return nil }
        var row = table.find(hashes[index], keys + index, batch.pointee.buffers)
        // A record in front of those that the callback was resumed with.
        if row == nil, let spill {
            row = load(spill, hashes[index], keys + index, batch.pointee.buffers)
        }
        rows[index] = row
        return row
    }

    private func makeRowLate(_ index: Int) -> Row? {
        if let row = findLate(index) { return row }
        guard let batch, let hashes = batch.pointee.key_hash, let keys = batch.pointee.key else {
            return nil
        }
        let key = keys + index
        var longKey: UnsafeMutableRawPointer?
        if key.pointee.len > 12 {
            let copy = pool.allocate(Int(key.pointee.len))
            memcpy(copy, apus_view_data(key, batch.pointee.buffers), Int(key.pointee.len))
            longKey = copy
        }
        let row = table.insert(hashes[index], key, longKey: longKey)
        if row != nil { tracking.pointee.totals.keyCount += 1 }
        rows[index] = row
        return row
    }

    /// Whether a row holds neither state nor timers.
    @inline(__always)
    func isEmpty(_ row: Row) -> Bool { present(row) == 0 && timerCount(of: row) == 0 }

    /// Removes a row that holds nothing.
    func remove(_ row: Row) {
        if !mark(row).contains(.dead) { tracking.pointee.totals.keyCount -= 1 }
        freeKey(row)
        table.remove(row)
    }

    /// Notes that a row may hold nothing any more.
    func noteEmptied(_ row: Row) {
        guard timerWord(row) & Self.isListedMark == 0 else { return }
        setTimerWord(row, timerWord(row) | Self.isListedMark)
        if call.pointee.emptiedCount == call.pointee.emptiedCapacity { growEmptied() }
        call.pointee.emptied[call.pointee.emptiedCount] = row
        call.pointee.emptiedCount &+= 1
    }

    private func growEmptied() {
        let capacity = call.pointee.emptiedCapacity * 2
        let grown = UnsafeMutablePointer<Row>.allocate(capacity: capacity)
        grown.update(from: call.pointee.emptied, count: call.pointee.emptiedCount)
        call.pointee.emptied.deallocate()
        call.pointee.emptied = grown
        call.pointee.emptiedCapacity = capacity
    }

    func freeKey(_ row: Row) {
        let length = Int((row + RowLayout.keyOffset).load(as: UInt32.self))
        guard length > 12 else { return }
        let pointer = (row + RowLayout.keyPointerOffset).load(as: UnsafeMutableRawPointer.self)
        pool.deallocate(pointer, length)
    }

    /// The key of a row.
    func key(of row: Row) -> UnsafeRawBufferPointer {
        let length = Int((row + RowLayout.keyOffset).load(as: UInt32.self))
        if length <= 12 {
            return UnsafeRawBufferPointer(start: row + RowLayout.keyOffset + 4, count: length)
        }
        let pointer = (row + RowLayout.keyPointerOffset).load(as: UnsafeRawPointer.self)
        return UnsafeRawBufferPointer(start: pointer, count: length)
    }

    @inline(__always)
    func present(_ row: Row) -> UInt32 { (row + RowLayout.presentOffset).load(as: UInt32.self) }

    @inline(__always)
    func setPresent(_ row: Row, _ bits: UInt32) {
        (row + RowLayout.presentOffset).storeBytes(of: bits, as: UInt32.self)
    }

    /// How many timers of the row's key are armed.
    @inline(__always)
    func timerCount(of row: Row) -> UInt32 { timerWord(row) & ~Self.isListedMark }

    @inline(__always)
    func addTimers(to row: Row, _ count: Int32) {
        setTimerWord(row, UInt32(bitPattern: Int32(bitPattern: timerWord(row)) &+ count))
    }

    @inline(__always)
    private func timerWord(_ row: Row) -> UInt32 {
        (row + RowLayout.timersOffset).load(as: UInt32.self)
    }

    @inline(__always)
    private func setTimerWord(_ row: Row, _ word: UInt32) {
        (row + RowLayout.timersOffset).storeBytes(of: word, as: UInt32.self)
    }

    @inline(__always)
    func holds(_ row: Row, slot: Int) -> Bool {
        present(row) & (1 &<< UInt32(truncatingIfNeeded: slot)) != 0
    }

    @inline(__always)
    func mark(_ row: Row) -> RowMark {
        RowMark(rawValue: (row + RowLayout.markOffset).load(as: UInt32.self))
    }

    @inline(__always)
    func setMark(_ row: Row, _ mark: RowMark) {
        (row + RowLayout.markOffset).storeBytes(of: mark.rawValue, as: UInt32.self)
    }

    /// Prepares a row to be changed: what it held when the last barrier came is kept for the
    /// snapshot, and the next one will have it.
    ///
    /// Before every change of a row or of what hangs off it.
    @inline(__always)
    func touch(_ row: Row) {
        let mark = (row + RowLayout.markOffset).load(as: UInt32.self)
        (row + RowLayout.writtenOffset).storeBytes(of: tracking.pointee.now, as: UInt32.self)
        if mark & tracking.pointee.writtenMask != tracking.pointee.writtenPattern {
            touchLate(row)
        }
    }

    @inline(__always)
    func note(_ row: Row, slot: Int) {
        setPresent(row, present(row) | (1 &<< UInt32(truncatingIfNeeded: slot)))
    }
}
