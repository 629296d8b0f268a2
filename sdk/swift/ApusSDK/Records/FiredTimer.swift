public import CApusPlugin

/// A timer that is due, lent to a handler: it cannot be kept.
public struct FiredTimer: ~Copyable {
    @usableFromInline let timers: UnsafePointer<apus_timers>
    @usableFromInline let index: Int

    // SAFETY: as for Record.
    @inlinable
    init(_ timers: UnsafePointer<apus_timers>, _ index: Int) {
        self.timers = timers
        self.index = index
    }

    /// Its declaration, to be compared: `switch fired.timer { case reminder: ... default: ... }`.
    @inlinable
    public var timer: Timer { Timer(index: timers.pointee.timer[index]) }

    /// The id that it was set with.
    @inlinable
    public var id: UInt64 { timers.pointee.id[index] }

    /// The time that it was set for; it may fire later.
    @inlinable
    public var time: Timestamp { Timestamp(microseconds: timers.pointee.batch.pointee.ts[index]) }

    /// The key's bytes.
    @inlinable
    public var key: Bytes { Record(timers.pointee.batch, index).key }

    /// The bytes that it was set with.
    @inlinable
    public var payload: Bytes { Record(timers.pointee.batch, index).value }
}
