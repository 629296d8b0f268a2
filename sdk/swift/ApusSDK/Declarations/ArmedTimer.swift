import CApusPlugin

/// A timer that an older version of the operator has armed, lent to a ``TimerMigration``: it cannot
/// be kept.
public struct ArmedTimer: ~Copyable {
    // SAFETY: the host's, for the call of the migration; only the thunk of a migration makes one.
    private let migration: UnsafePointer<apus_timer_migration>

    init(_ migration: UnsafePointer<apus_timer_migration>) {
        self.migration = migration
    }

    /// The version of the declaration that it was armed under.
    public var version: Int { Int(migration.pointee.from_version) }

    /// What makes it fire.
    public var domain: Timer.Domain {
        migration.pointee.domain == UInt32(bitPattern: APUS_PROCESSING_TIME)
            ? .processingTime : .eventTime
    }

    /// The key's bytes.
    public var key: Bytes { Bytes(migration.pointee.key) }

    /// The id that it was set with.
    public var id: UInt64 { migration.pointee.id }

    /// The time that it was set for.
    public var time: Timestamp { Timestamp(microseconds: migration.pointee.time_us) }

    /// The bytes that it was set with.
    public var payload: Bytes { Bytes(migration.pointee.payload) }

    /// The same timer at another time, with the id and the payload that it has.
    public func plan(at time: Timestamp) -> TimerPlan { TimerPlan(id: id, time: time) }
}
