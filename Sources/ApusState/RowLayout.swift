/// What an operator declared about one state slot, as far as the row's layout needs it.
package struct SlotDescription: Equatable, Sendable {
    /// The kinds of state.
    package enum Kind: Equatable, Sendable {
        /// A value of so many bytes, kept in the row.
        case fixedValue(byteCount: Int)
        /// A value of any length.
        case value
        /// A signed 64-bit sum, kept in the row.
        case counter
        /// Values in the order of appending.
        case list
        /// Entries ordered by key.
        case map
    }

    /// The slot's name, stable for ever.
    package let name: String
    /// The kind of state.
    package let kind: Kind
    /// What the values' bytes mean, by the operator's numbering; stored with each value.
    package let schemaVersion: UInt16
    /// When what it holds expires; nil for never.
    package var expiry: SlotExpiry?

    /// Creates a description.
    package init(
        name: String,
        kind: Kind,
        schemaVersion: UInt16 = 1,
        expiry: SlotExpiry? = nil
    ) {
        self.name = name
        self.kind = kind
        self.schemaVersion = schemaVersion
        self.expiry = expiry
    }
}

/// Where things lie in a row.
///
///     offset  type      field      meaning
///          0  u64       hash       XXH3-64 of the key
///          8  u32       keyLength  bytes of key
///         12  12 bytes  key        the key in place, or 4 bytes of prefix and a pointer at 16
///         24  u32       present    bit n: slot n holds something
///         28  u32       timers     armed timers of this key; high bit: may be empty
///         32  u32       mark       see ``RowMark``
///         36  u32       written    when it was last written; see ``CoarseTime``
///         40  ...       slots      each aligned to 8
///
/// A slot is the value itself (fixed values, counters), a pointer with length and capacity
/// (values), or a pointer (lists, maps; nil when the entries are in the database and not here).
/// Behind the slots lies a stamp for each slot that expires, a u32, see ``CoarseTime``.
/// Behind their slots rows have, where the operator has such state at all, the masks with a durable
/// tier only:
///
///     u32 cleared   bit n: the database holds entries of list or map n that are gone
///     u32 stored    bit n: the database may hold entries of list or map n
///     per time domain: i64 wake, the time under which the database would wake the key
///                      u32 first, number + 1 of the first timer;  u32 unused
package struct RowLayout: Equatable, Sendable {
    static let hashOffset = 0
    static let keyOffset = 8
    static let keyPointerOffset = 16
    static let presentOffset = 24
    static let timersOffset = 28
    static let markOffset = 32
    static let writtenOffset = 36
    static let slotsOffset = 40
    /// The most slots, one bit each in `present`.
    package static let slotCountMax = 32

    /// The slots in the order of their declaration.
    package let slots: [SlotDescription]
    /// The offset of each slot in the row.
    package let offsets: [Int]
    /// The size of a row.
    package let rowByteCount: Int
    /// Where the masks of lists and maps are; 0 when there are none.
    let collectionsOffset: Int
    /// Where the wake-up time and first timer of each domain are; 0 when there are none.
    let eventTimersOffset: Int
    let processingTimersOffset: Int
    /// Where the stamp of each slot is; 0 for slots that do not expire.
    let stampOffsets: [Int]

    /// Lays out rows for the slots.
    ///
    /// - Parameters:
    ///   - slots: What the operator declared.
    ///   - timers: The domains of the timers that it declared.
    ///   - isDurable: Whether rows have what the durable tier needs.
    /// - Precondition: At most ``slotCountMax`` slots.
    package init(
        slots: [SlotDescription],
        timers: [KeyedState.TimerDomain] = [],
        isDurable: Bool = false
    ) {
        precondition(slots.count <= Self.slotCountMax, "at most 32 slots")
        self.slots = slots
        var offset = Self.slotsOffset
        var offsets: [Int] = []
        for slot in slots {
            offsets.append(offset)
            switch slot.kind {
            case .fixedValue(let byteCount): offset += (byteCount + 7) & ~7
            case .value: offset += 16
            case .counter, .list, .map: offset += 8
            }
        }
        self.offsets = offsets
        var stampOffsets: [Int] = []
        for slot in slots {
            stampOffsets.append(slot.expiry == nil ? 0 : offset)
            if slot.expiry != nil { offset += 4 }
        }
        self.stampOffsets = stampOffsets
        offset = (offset + 7) & ~7
        func takes(_ byteCount: Int, when isNeeded: Bool) -> Int {
            guard isNeeded else { return 0 }
            defer { offset += byteCount }
            return offset
        }
        collectionsOffset = takes(
            8,
            when: isDurable && slots.contains { $0.kind == .list || $0.kind == .map }
        )
        eventTimersOffset = takes(16, when: timers.contains(.event))
        processingTimersOffset = takes(16, when: timers.contains(.processing))
        rowByteCount = offset
    }

    /// Where a part of what a row knows of its timers is: the wake-up time at 0, the first timer's
    /// number at 8; 0 when there is no such place.
    func timersOffset(_ domain: KeyedState.TimerDomain, part: Int) -> Int {
        let offset = domain == .event ? eventTimersOffset : processingTimersOffset
        return offset == 0 ? 0 : offset + part
    }
}
