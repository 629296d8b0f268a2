/// A type whose values can also be brought back to what they were before it changed.
///
/// ```swift
/// struct Ticket: StateReversible {
///     static func migrate(_ old: TicketV1) -> Ticket { ... }
///     static func downgrade(_ ticket: Ticket) -> TicketV1 { TicketV1(isUrgent: ticket.isUrgent) }
/// }
/// ```
///
/// With it a swap to a version of the operator that turns out to be bad can be undone without going
/// back to a checkpoint: what the new version has written stays, and the old one reads it.  That
/// takes a way back for all states of the operator, and for each type in the chain of a state.
/// Downgrading must give the same for the same value, and may happen on any thread.
public protocol StateReversible: StateMigratable {
    /// What a value was.
    ///
    /// - Throws: ``OperatorError`` when the previous type cannot say it.
    static func downgrade(_ value: Self) throws -> Previous
}

extension StateReversible {
    /// That of the previous type.
    @inlinable
    public static var oldestWritableVersion: Int { Previous.oldestWritableVersion }

    /// Appends what the value is in this or an older version of the type.
    @inlinable
    public func encode(version: Int, into encoder: inout StateEncoder) throws {
        guard version != Self.schemaVersion else { return encode(into: &encoder) }
        try Self.downgrade(self).encode(version: version, into: &encoder)
    }
}
