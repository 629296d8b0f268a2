import ApusGenerators
import Foundation

/// A line of tickets as a stranger reads it, with a JSON parser of its own.
struct TicketLine {
    let event: TicketEvent
    /// The names of the fields.
    let fields: Set<String>

    private static let timeFormat = Date.ISO8601FormatStyle(includingFractionalSeconds: true)

    /// Reads a line; `nil` if it holds no event.
    init?(_ line: String) {
        guard let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)),
            let fields = object as? [String: Any],
            let id = fields["ticket_id"] as? String, id.hasPrefix("T-"), id.count >= 8,
            let number = Int(id.dropFirst(2)),
            let sequence = fields["seq"] as? Int,
            let text = fields["ts"] as? String,
            let date = try? Date(text, strategy: Self.timeFormat),
            let type = fields["type"] as? String,
            let kind = Self.kind(type, fields)
        else { return nil }
        let time = Timestamp(milliseconds: Int64((date.timeIntervalSince1970 * 1_000).rounded()))
        guard time.description == text else { return nil }
        self.fields = Set(fields.keys)
        self.event = TicketEvent(
            ticketID: TicketID(number),
            sequence: sequence,
            time: time,
            kind: kind
        )
    }

    private static func kind(_ type: String, _ fields: [String: Any]) -> TicketEvent.Kind? {
        func text(_ name: String) -> String { fields[name] as? String ?? "" }
        func number(_ name: String, _ prefix: String) -> Int? {
            text(name).hasPrefix(prefix) ? Int(text(name).dropFirst(prefix.count)) : nil
        }
        let priority = TicketPriority(rawValue: text("priority"))
        switch type {
        case "ticket.created":
            guard let customer = number("customer", "C-"), let priority else { return nil }
            return .created(customer: customer, priority: priority, team: text("team"))
        case "message.customer": return .messageFromCustomer
        case "message.agent": return number("agent", "A-").map { .messageFromAgent(agent: $0) }
        case "assigned": return number("agent", "A-").map { .assigned(agent: $0) }
        case "priority.changed": return priority.map { .priorityChanged($0) }
        case "status.changed":
            return TicketEvent.Status(rawValue: text("status")).map { .statusChanged($0) }
        default: return nil
        }
    }
}
