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

    /// Creates a description.
    package init(name: String, kind: Kind) {
        self.name = name
        self.kind = kind
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
///         32  ...       slots      each aligned to 8
///
/// A slot is the value itself (fixed values, counters), a pointer with length and capacity
/// (values), or a pointer (lists, maps).
package struct RowLayout: Equatable, Sendable {
    static let hashOffset = 0
    static let keyOffset = 8
    static let keyPointerOffset = 16
    static let presentOffset = 24
    static let timersOffset = 28
    static let slotsOffset = 32
    /// The most slots, one bit each in `present`.
    package static let slotCountMax = 32

    /// The slots in the order of their declaration.
    package let slots: [SlotDescription]
    /// The offset of each slot in the row.
    package let offsets: [Int]
    /// The size of a row.
    package let rowByteCount: Int

    /// Lays out rows for the slots.
    ///
    /// - Precondition: At most ``slotCountMax`` slots.
    package init(slots: [SlotDescription]) {
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
        rowByteCount = offset
    }
}
