import ApusSDK

/// Something that happened to a ticket, as far as the rules care.
///
/// Raw values are in checkpoints: they may be added, never changed.
enum TicketEvent: UInt8, StateCodable {
    case created = 1
    case createdAsUrgent = 2
    case messageFromCustomer = 3
    case messageFromAgent = 4
    case assigned = 5
    case becameUrgent = 6
    case becameLessUrgent = 7
    case solved = 8
    case opened = 9

    /// Reads an event, and checks all that the README says of it.
    init(_ fields: JSONFields) throws(RecordError) {
        let type = try fields.string("type")
        switch type {
        case "ticket.created":
            _ = try fields.string("customer")
            _ = try fields.string("team")
            self = try Self.isUrgent(fields) ? .createdAsUrgent : .created
        case "message.customer":
            self = .messageFromCustomer
        case "message.agent":
            _ = try fields.string("agent")
            self = .messageFromAgent
        case "assigned":
            _ = try fields.string("agent")
            self = .assigned
        case "priority.changed":
            self = try Self.isUrgent(fields) ? .becameUrgent : .becameLessUrgent
        case "status.changed":
            self = try Self.status(fields)
        default:
            throw RecordError("type is '\(type)', which is no event of a ticket")
        }
    }

    /// The ticket that the event creates, before it is applied; nil when it creates none.
    var newTicket: Ticket? {
        self == .created || self == .createdAsUrgent ? Ticket() : nil
    }

    private static func isUrgent(_ fields: JSONFields) throws(RecordError) -> Bool {
        let priority = try fields.string("priority")
        switch priority {
        case "urgent": return true
        case "low", "normal", "high": return false
        default:
            throw RecordError("priority is '\(priority)'; expected low, normal, high or urgent")
        }
    }

    private static func status(_ fields: JSONFields) throws(RecordError) -> TicketEvent {
        let status = try fields.string("status")
        switch status {
        case "solved": return .solved
        case "open": return .opened
        default: throw RecordError("status is '\(status)'; expected open or solved")
        }
    }
}

/// The place of an event among those of its ticket.
struct EventKey: StateCodable {
    let time: Timestamp
    let sequence: Int64

    init(time: Timestamp, sequence: Int64) {
        self.time = time
        self.sequence = sequence
    }

    init(from decoder: inout StateDecoder) throws {
        time = try decoder.decode()
        sequence = try decoder.decode()
    }

    func encode(into encoder: inout StateEncoder) {
        encoder.encode(time)
        encoder.encode(sequence)
    }
}
