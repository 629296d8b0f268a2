import ApusSDK

/// What version 2 remembers of a ticket: as before, and how often it was written.
struct StoredTicket: StateReversible {
    var ticket: Ticket
    /// Since version 2 has it: 0 for a ticket that version 1 has left.
    var changeCount: UInt32

    static let fixedByteCount = StateEncoder.byteCount(Ticket.self, UInt32.self)

    static func migrate(_ old: Ticket) -> StoredTicket { StoredTicket(ticket: old, changeCount: 0) }

    static func downgrade(_ stored: StoredTicket) -> Ticket { stored.ticket }

    init(ticket: Ticket, changeCount: UInt32) {
        self.ticket = ticket
        self.changeCount = changeCount
    }

    init(from decoder: inout StateDecoder) throws {
        ticket = try decoder.decode()
        changeCount = try decoder.decode()
    }

    func encode(into encoder: inout StateEncoder) {
        encoder.encode(ticket)
        encoder.encode(changeCount)
    }
}
