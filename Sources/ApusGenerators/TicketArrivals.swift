/// When customers open tickets: a weekly curve, with now and then an incident.
struct TicketArrivals {
    /// One new ticket.
    struct Arrival {
        let time: Timestamp
        /// Whether it is one of the many that an incident causes.
        let isFromIncident: Bool
    }

    /// Tickets per hour of the day, on average, Monday to Friday: about 500 a day.
    private static let weekday: [UInt64] = [
        2, 1, 1, 1, 2, 4, 9, 18, 34, 48, 52, 47, 38, 40, 46, 45, 39, 28, 18, 12, 9, 6, 4, 2,
    ]

    /// Tickets per hour of the day, on average, at the weekend: about 100 a day.
    private static let weekend: [UInt64] = [
        1, 1, 1, 1, 1, 1, 2, 3, 5, 7, 9, 9, 8, 8, 8, 7, 7, 6, 5, 4, 3, 2, 2, 1,
    ]

    private static let stream = UInt64.max

    private var random: SeededRandom
    private var remainingCount: Int
    private var hourIndex: Int64 = 0

    /// Plans `ticketCount` tickets from ``Timestamp/start`` on.
    init(seed: UInt64, ticketCount: Int) {
        random = SeededRandom(seed: seed, stream: Self.stream)
        remainingCount = ticketCount
    }

    /// Whether all tickets have been handed out.
    var isFinished: Bool { remainingCount == 0 }

    /// The tickets of the next hour, in order.
    mutating func nextHour() -> [Arrival] {
        let hour = Timestamp.start + hourIndex * Milliseconds.hour
        var arrivals = (0..<arrivalCount()).map { _ in
            Arrival(
                time: hour + random.next(in: 0...Milliseconds.hour - 1),
                isFromIncident: false
            )
        }
        if random.happens(percent: 6) { arrivals += incident(in: hour) }
        arrivals.sort { ($0.time, $0.rank) < ($1.time, $1.rank) }
        arrivals.removeLast(max(0, arrivals.count - remainingCount))
        remainingCount -= arrivals.count
        hourIndex += 1
        return arrivals
    }

    /// How many tickets the hour brings: twice the average number of coins, counting heads.
    private mutating func arrivalCount() -> Int {
        let hourOfWeek = Int((9 + hourIndex) % 168)  // the first hour is Monday at nine
        let curve = hourOfWeek < 5 * 24 ? Self.weekday : Self.weekend
        let coins = (UInt64(1) << curve[hourOfWeek % 24]) - 1
        return (random.next() & coins).nonzeroBitCount + (random.next() & coins).nonzeroBitCount
    }

    /// Ten to thirty tickets within six minutes.
    private mutating func incident(in hour: Timestamp) -> [Arrival] {
        let length = 6 * Milliseconds.minute
        let start = hour + random.next(in: 0...Milliseconds.hour - length - 1)
        return (0..<random.next(in: 10...30)).map { _ in
            Arrival(time: start + random.next(in: 0...length), isFromIncident: true)
        }
    }
}

extension TicketArrivals.Arrival {
    /// Orders arrivals at the same instant.
    fileprivate var rank: Int { isFromIncident ? 1 : 0 }
}
