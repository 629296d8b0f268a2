/// What a version of an operator makes of the rows of an older one.
///
/// Pure: gives the same for the same bytes, whenever and however often it is asked.  Used by one
/// task thread at a time.
package protocol RowMigration: AnyObject {
    /// The slot that takes over from an old one; nil when it is dropped.
    func target(ofSlot slot: Int) -> Int?

    /// Whether what a slot holds is taken over as it is.
    func keepsBytes(ofSlot slot: Int) -> Bool

    /// Brings a value to the new version.
    ///
    /// - Parameters:
    ///   - slot: The old slot.
    ///   - value: The value, what it belongs to, and its bytes; of a counter an `Int64`.
    /// - Returns: What became of it.
    func migrate(slot: Int, _ value: MigratedValue) -> MigrationOutcome

    /// The timer that takes over from an old one; nil when armed ones are cancelled.
    func target(ofTimer name: Int) -> Int?

    /// Whether armed timers stay as they are.
    func keepsTimers(of name: Int) -> Bool

    /// Brings an armed timer to the new version.
    ///
    /// - Parameters:
    ///   - name: The old timer.
    ///   - key: Whose timer it is.
    ///   - plan: What it was; becomes what it is to be, but for the payload.
    ///   - payload: Its payload.
    /// - Returns: The new payload; `.dropped` cancels it.
    func migrateTimer(
        _ name: Int,
        key: UnsafeRawBufferPointer,
        _ plan: inout TimerPlan,
        payload: UnsafeRawBufferPointer
    ) -> MigrationOutcome
}

/// A value that is to be migrated.
///
/// The bytes are valid during the call.
package struct MigratedValue {
    // SAFETY: whoever makes one keeps the bytes until the call that it is made for has returned.

    /// Whose state it is.
    package var key: UnsafeRawBufferPointer
    /// The entry's key in a map, the position in a list as a `UInt64`; nothing otherwise.
    package var entry: UnsafeRawBufferPointer
    /// The bytes.
    package var bytes: UnsafeRawBufferPointer

    /// Creates a value.
    package init(
        key: UnsafeRawBufferPointer,
        entry: UnsafeRawBufferPointer,
        bytes: UnsafeRawBufferPointer
    ) {
        self.key = key
        self.entry = entry
        self.bytes = bytes
    }
}

/// What an armed timer is, but for its payload.
package struct TimerPlan: Equatable, Sendable {
    /// The plugin's id.
    package var id: UInt64
    /// When it is due, in microseconds since 1970.
    package var timeMicroseconds: Int64

    /// Creates a plan.
    package init(id: UInt64, timeMicroseconds: Int64) {
        self.id = id
        self.timeMicroseconds = timeMicroseconds
    }
}

/// What became of bytes that were migrated.
package enum MigrationOutcome {
    /// They became these, which are valid until the next migration.
    case bytes(UnsafeRawBufferPointer)
    /// They are gone.
    case dropped
    /// They cannot be migrated, for this reason.
    case failed(String)
}
