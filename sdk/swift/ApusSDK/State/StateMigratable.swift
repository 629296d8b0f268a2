/// A type whose values used to have other bytes, and that says how the old become the new.
///
/// ```swift
/// struct Ticket: StateMigratable {
///     var isUrgent: Bool
///     var since: Timestamp
///
///     static func migrate(_ old: TicketV1) -> Ticket {
///         Ticket(isUrgent: old.isUrgent, since: Timestamp(microseconds: 0))
///     }
///     // ... fixedByteCount, init(from:), encode(into:) as for any StateCodable
/// }
/// ```
///
/// The previous type may be migratable, too, and so on: values of any version in the chain can be
/// read.  Migrating must give the same for the same value, and may happen on any thread.
public protocol StateMigratable: StateCodable {
    /// The type as it was.
    associatedtype Previous: StateCodable

    /// What a value becomes.
    ///
    /// - Throws: ``OperatorError`` when it cannot be brought forward.
    static func migrate(_ previous: Previous) throws -> Self
}

extension StateMigratable {
    /// One more than that of the previous type.
    @inlinable
    public static var schemaVersion: Int { Previous.schemaVersion + 1 }

    /// That of the previous type.
    @inlinable
    public static var oldestReadableVersion: Int { Previous.oldestReadableVersion }

    /// Reads a value that this or an older version of the type has written.
    @inlinable
    public static func decode(version: Int, from decoder: inout StateDecoder) throws -> Self {
        if version == schemaVersion { return try Self(from: &decoder) }
        return try migrate(Previous.decode(version: version, from: &decoder))
    }
}
