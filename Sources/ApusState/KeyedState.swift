package import ApusCore
import ApusMemory
package import CApusPlugin
import CApusShims

/// The state and timers of an operator's keys on one subtask, all in memory.
///
/// Before a callback the owner calls ``begin(_:from:)`` with the batch in hand: the rows of its
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

    private let call: UnsafeMutablePointer<Call>
    private let usesRows: Bool
    /// How many lists and maps were ever made.
    private var collectionCount: UInt64 = 0

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

    private var batch: UnsafePointer<apus_batch>? { call.pointee.batch }
    var recordCount: Int { call.pointee.recordCount }
    var rows: UnsafeMutablePointer<Row?> { call.pointee.rows }

    /// The two kinds of time.
    package enum TimerDomain: Sendable {
        /// Fires when the watermark has reached the time.
        case event
        /// Fires when the clock on the wall has.
        case processing
    }

    /// Creates empty state.
    package init(slots: [SlotDescription], timers: [TimerDomain], groups: KeyGroups) {
        layout = RowLayout(slots: slots)
        table = KeyTable(rowByteCount: layout.rowByteCount, groups: groups)
        timerDomains = timers
        eventTimers = TimerQueue()
        processingTimers = TimerQueue()
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
    }

    deinit {
        table.destroy()
        eventTimers.destroy()
        processingTimers.destroy()
        call.pointee.rows.deallocate()
        call.pointee.emptied.deallocate()
        call.deallocate()
    }

    /// How many keys hold state or timers.
    package var keyCount: Int { table.rowCount }

    /// How many timers are armed in a domain.
    package func timerCount(_ domain: TimerDomain) -> Int { queue(domain).count }

    /// When the next timer of a domain is due; `Int64.max` when none is armed.
    package func nextTimerTime(_ domain: TimerDomain) -> Int64 { queue(domain).nextTime }

    /// Bytes in use: rows, index, and what hangs off the rows.
    package var byteCount: Int { table.byteCount + pool.usedByteCount }

    func queue(_ domain: TimerDomain) -> TimerQueue {
        domain == .event ? eventTimers : processingTimers
    }

    // MARK: - Around a callback

    /// Looks up the rows of records `first ...` of a batch, which stays as it is until ``end()``.
    package func begin(_ batch: UnsafePointer<apus_batch>, from first: Int) {
        call.pointee.batch = batch
        call.pointee.recordCount = Int(batch.pointee.count)
        guard usesRows else { return }
        reserveRows(recordCount)
        for index in 0..<first { rows[index] = nil }
        table.find(batch, first, recordCount, into: rows)
    }

    /// Ends a callback: rows that hold nothing are removed, pointers into state end.
    package func end() {
        call.pointee.batch = nil
        call.pointee.recordCount = 0
        guard call.pointee.emptiedCount > 0 else { return }
        for index in 0..<call.pointee.emptiedCount {
            let row = call.pointee.emptied[index]
            setTimerWord(row, timerWord(row) & ~Self.isListedMark)
            guard present(row) == 0, timerCount(of: row) == 0 else { continue }
            freeKey(row)
            table.remove(row)
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
        let row = table.find(hashes[index], keys + index, batch.pointee.buffers)
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
        rows[index] = row
        return row
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

    private func freeKey(_ row: Row) {
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
    func note(_ row: Row, slot: Int) {
        setPresent(row, present(row) | (1 &<< UInt32(truncatingIfNeeded: slot)))
    }
}
