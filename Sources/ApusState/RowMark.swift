/// A row's word about itself, for the durable tier and for eviction.
///
///     bit  0      dirty       written since it was last encoded
///     bit  1      parity      of the epoch in which it became dirty
///     bit  2      referenced  used since the clock hand came by
///     bit  3      stored      the database has it, or will have once a flush is in
///     bit  4      free        not in use: the row has no key
///     bit  5      in flight   encoded, and the flush with the number below may not be in yet
///     bit  6      dead        holds nothing, and was counted out
///     bit  7      wakes in event time: the database has a wake-up entry, its time is in the row
///     bits 8-15   the low byte of the number of the flush that it was encoded in
///     bit  16     wakes in processing time, likewise
///     bit  17     victim      waits for its flush, to be evicted then
///     bits 18-19  listed      the place is on the list of dirty rows of epochs of parity 0, 1;
///                             stays when the place is given to another key
struct RowMark: OptionSet {
    var rawValue: UInt32

    static let dirty = RowMark(rawValue: 1 << 0)
    static let parity = RowMark(rawValue: 1 << 1)
    static let referenced = RowMark(rawValue: 1 << 2)
    static let stored = RowMark(rawValue: 1 << 3)
    static let free = RowMark(rawValue: 1 << 4)
    static let inFlight = RowMark(rawValue: 1 << 5)
    static let dead = RowMark(rawValue: 1 << 6)
    static let wakesInEventTime = RowMark(rawValue: 1 << 7)
    static let wakesInProcessingTime = RowMark(rawValue: 1 << 16)
    static let victim = RowMark(rawValue: 1 << 17)
    static let listed = RowMark(rawValue: 3 << 18)

    /// The bit for the list of a parity.
    @inline(__always)
    static func listed(_ parity: RowMark) -> RowMark {
        RowMark(rawValue: 1 << (18 + (parity.rawValue & RowMark.parity.rawValue) >> 1))
    }

    /// What must be as it is in a row that was written in this epoch, so that nothing needs to be
    /// done for the next write.
    static let writtenMask: RowMark = [.dirty, .parity, .referenced, .dead]

    /// The low byte of a flush's number.
    var flush: UInt8 {
        get { UInt8(truncatingIfNeeded: rawValue >> 8) }
        set { rawValue = rawValue & ~0xff00 | UInt32(newValue) << 8 }
    }
}
