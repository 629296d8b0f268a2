import ApusStore

/// What a keyed state with a durable tier remembers about its rows.
///
/// Behind a pointer in ``KeyedState``, because the properties of a class are checked for exclusive
/// access at each use.
struct RowTracking {
    // SAFETY: rows stay where they are as long as their table; whoever takes one out of a list
    // here looks at its mark first, because it may have been freed, or taken for another key.

    typealias Row = UnsafeMutableRawPointer

    /// A row and the flush that it waits for.
    struct Waiting {
        let row: Row
        let flush: Int
    }

    /// What a row's mark must look like, under ``RowMark/writtenMask``, for a write to go ahead;
    /// both 0 without a durable tier, which every mark fulfils.
    var writtenMask: UInt32 = 0
    var writtenPattern: UInt32 = 0
    /// The time that is noted in rows that are written; see ``CoarseTime``.
    var now: UInt32 = 0
    /// The operator's watermark, likewise.
    var eventNow: UInt32 = 1

    /// Rows that became dirty in this epoch.
    var current = DirtyList()
    /// Rows of the epoch before, while its snapshot is being encoded.
    var pending = DirtyList()
    /// The first entry of `pending` that was not looked at.
    var pendingIndex = 0
    var isSnapshotting = false
    /// The barrier that was passed last.
    var barrier: UInt64 = 0

    /// What was encoded and not submitted.
    var buffer = EntryBuffer()
    /// The number of the flush that `buffer` will be.
    var nextFlush = 1

    /// Whether the database may hold rows that memory does not.
    var mayMiss = false
    /// Whether there may be keys with timers that are not in memory, and before which time none of
    /// these is due.
    var hasColdEventTimers = false
    var hasColdProcessingTimers = false
    var coldEventTime = Int64.max
    var coldProcessingTime = Int64.max
    /// The wake-up entries at which loading goes on; nil for the first one of that time.
    var coldEventEntry: [UInt8]?
    var coldProcessingEntry: [UInt8]?

    /// Timers up to then are being fired; `Int64.min` when none are.
    var firingEventTime = Int64.min
    var firingProcessingTime = Int64.min

    /// Rows that hold nothing, kept until the database has deleted them.
    var graves: [Waiting] = []
    /// The graves before this one are done with.
    var gravesDone = 0
    /// Rows that are to be evicted once their flush is in.
    var victims: [Waiting] = []
    /// The victims before this one are done with.
    var victimsDone = 0
    /// The number of the row at which the clock's hand stands.
    var hand = 0

    /// The number of the row at which the sweep for expired values stands.
    var sweep = 0
    /// Values that were dropped because they had expired.
    var expiredCount = 0

    /// What was added and removed since the start.
    var totals = StateTotals()
    /// What the budget knows of.
    var reportedByteCount = 0
    /// The first failure of the database; the job ends with it.
    var failure: StoreError?

    /// Room for keys to look up.
    var keyArenaUsed = 0
    var keyArena = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
    var lookUps: [UnsafeRawBufferPointer] = []
    var lookUpRecords: [Int] = []

    /// Frees what is not freed by itself.
    mutating func destroy() {
        current.destroy()
        pending.destroy()
        keyArena.deallocate()
    }
}
