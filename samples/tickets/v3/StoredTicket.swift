import ApusSDK

/// What version 3 remembers of a ticket, with bytes of its own and no way to read older ones.
struct StoredTicket: StateCodable {
    var ticket: Ticket
    var changeCount: UInt32

    static let fixedByteCount = StateEncoder.byteCount(UInt32.self, Ticket.self)
    static let schemaVersion = 3

    init(ticket: Ticket, changeCount: UInt32) {
        self.ticket = ticket
        self.changeCount = changeCount
    }

    init(from decoder: inout StateDecoder) throws {
        changeCount = try decoder.decode()
        ticket = try decoder.decode()
    }

    func encode(into encoder: inout StateEncoder) {
        encoder.encode(changeCount)
        encoder.encode(ticket)
    }
}
