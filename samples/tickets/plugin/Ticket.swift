import ApusSDK

/// What is remembered of a ticket; since when it waits is in its timers.
struct Ticket: StateCodable {
    enum Status: UInt8, StateCodable {
        case open
        case solved
        case closed
    }

    enum Party: UInt8, StateCodable {
        case agent
        case customer
        case nobody
    }

    /// What an event or a rule changes about the timers; nil leaves them alone.
    struct Changes {
        /// Whom the ticket waits on from now on.
        var waitsOn: Party?
        /// Whether it is, from now on, open, urgent and assigned to nobody.
        var isUnclaimed: Bool?
    }

    static let fixedByteCount = StateEncoder.byteCount(
        Status.self,
        Party.self,
        Bool.self,
        Bool.self
    )

    private(set) var status = Status.open
    private(set) var waitsOn = Party.nobody
    private(set) var isUrgent = false
    private(set) var isAssigned = false

    init() {}

    init(from decoder: inout StateDecoder) throws {
        status = try decoder.decode()
        waitsOn = try decoder.decode()
        isUrgent = try decoder.decode()
        isAssigned = try decoder.decode()
    }

    func encode(into encoder: inout StateEncoder) {
        encoder.encode(status)
        encoder.encode(waitsOn)
        encoder.encode(isUrgent)
        encoder.encode(isAssigned)
    }

    mutating func apply(_ event: TicketEvent) -> Changes {
        switch event {
        case .created, .createdAsUrgent:
            isUrgent = event == .createdAsUrgent
            return open()
        case .messageFromCustomer:
            switch waitsOn {
            case .agent: return Changes()
            case .customer: return wait(on: .agent)
            case .nobody: return open()
            }
        case .messageFromAgent:
            return waitsOn == .agent ? wait(on: .customer) : Changes()
        case .assigned:
            isAssigned = true
            return Changes(isUnclaimed: false)
        case .becameUrgent:
            let begins = !isUrgent && status == .open && !isAssigned
            isUrgent = true
            return Changes(isUnclaimed: begins ? true : nil)
        case .becameLessUrgent:
            isUrgent = false
            return Changes(isUnclaimed: false)
        case .solved:
            return finish(as: .solved)
        case .opened:
            return status == .open ? Changes() : open()
        }
    }

    mutating func finish(as newStatus: Status) -> Changes {
        status = newStatus
        waitsOn = .nobody
        return Changes(waitsOn: .nobody, isUnclaimed: false)
    }

    private mutating func open() -> Changes {
        status = .open
        waitsOn = .agent
        return Changes(waitsOn: .agent, isUnclaimed: isUrgent && !isAssigned)
    }

    private mutating func wait(on party: Party) -> Changes {
        waitsOn = party
        return Changes(waitsOn: party)
    }
}
