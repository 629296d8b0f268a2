import ApusState

/// The timers that fire next: `apus timer ls`.
package struct TimerReport: Encodable, Equatable, Sendable {
    /// A timer of a key.
    package struct Timer: Encodable, Equatable, Sendable {
        /// The operator.
        package let `operator`: String
        /// The key.
        package let key: KeyReport.Bytes
        /// The timer.
        package let timer: KeyReport.Timer
    }

    /// How many timers of a name are armed.
    package struct Name: Encodable, Equatable, Sendable {
        /// The operator.
        package let `operator`: String
        /// The name.
        package let name: String
        /// "event" or "processing".
        package let domain: String
        /// How many are armed.
        package internal(set) var count = 0
        /// When the first is due; RFC 3339.
        package internal(set) var first = ""
        var firstMicroseconds = Int64.max

        enum CodingKeys: String, CodingKey {
            case `operator`
            case name
            case domain
            case count
            case first
        }
    }

    /// A key with its number of timers.
    package struct Key: Encodable, Equatable, Sendable {
        /// The operator.
        package let `operator`: String
        /// The key.
        package let key: KeyReport.Bytes
        /// How many timers are armed.
        package let timerCount: Int
    }

    /// Which timers are looked at.
    package struct Filter: Sendable {
        /// The operator; nil for all.
        package var operatorNumber: UInt16?
        /// 0 is event time, 1 processing time; nil for both.
        package var domain: UInt8?
        /// The name; nil for all.
        package var name: String?

        /// Creates a filter that lets all pass.
        package init() {}
    }

    /// How many there are.
    package let timerCount: Int
    /// By name.
    package let names: [Name]
    /// The first to fire.
    package let timers: [Timer]
    /// The keys with the most.
    package let keys: [Key]

    /// Looks at all timers.
    ///
    /// - Parameters:
    ///   - reader: The checkpoint's state.
    ///   - filter: Which timers are looked at.
    ///   - limit: How many timers and keys are named.
    /// - Throws: ``StateToolError`` when a file is damaged.
    package init(
        _ reader: StateSnapshotReader,
        _ filter: Filter,
        limit: Int
    ) throws(StateToolError) {
        var count = TimerCount(reader.directory, filter, limit: limit)
        try reader.forEachEntry { (stored, entry) throws(StateToolError) in
            if case .wake = stored { return false }
            guard case .row(_, let number, let key) = stored,
                filter.operatorNumber == nil || filter.operatorNumber == number
            else { return true }
            count.add(number, key, try reader.row(entry).timers)
            return true
        }
        let directory = reader.directory
        timerCount = count.total
        names = count.names.sorted { $0.key < $1.key }
            .map { entry in
                var name = entry.value
                name.first = TimeText.text(microseconds: name.firstMicroseconds)
                return name
            }
        timers = count.next.first.map { armed in
            Timer(
                operator: directory.name(armed.number),
                key: KeyReport.Bytes(armed.key),
                timer: KeyReport.timer(armed.timer, armed.number, directory)
            )
        }
        keys = count.most.first.map { key in
            Key(
                operator: directory.name(key.number),
                key: KeyReport.Bytes(key.key),
                timerCount: key.count
            )
        }
    }

    /// What `apus timer ls` prints.
    package var text: String {
        var table = TextTable(["OPERATOR", "TIMER", "DOMAIN", "DUE", "ID", "KEY"], right: [4])
        for armed in timers {
            table.add([
                armed.operator, armed.timer.name, armed.timer.domain, armed.timer.time,
                String(armed.timer.id), armed.key.shown,
            ])
        }
        return (table.lines + ["\(timers.count) of \(timerCount) timers, the first to fire first"])
            .joined(separator: "\n")
    }

    /// What `apus timer top` prints.
    package var topText: String {
        var nameTable = TextTable(
            ["OPERATOR", "TIMER", "DOMAIN", "ARMED", "FIRST DUE"],
            right: [3]
        )
        for name in names {
            nameTable.add([
                name.operator, name.name, name.domain, String(name.count), name.first,
            ])
        }
        var keyTable = TextTable(["OPERATOR", "TIMERS", "KEY"], right: [1])
        for key in keys {
            keyTable.add([key.operator, String(key.timerCount), key.key.shown])
        }
        let lines = nameTable.lines + ["", "keys with the most timers"] + keyTable.lines
        return lines.joined(separator: "\n")
    }
}

/// Timers that are being counted.
private struct TimerCount {
    private let directory: OperatorDirectory
    private let filter: TimerReport.Filter
    /// How many there are.
    private(set) var total = 0
    /// By operator, domain and name.
    private(set) var names: [String: TimerReport.Name] = [:]
    /// The first to fire.
    private(set) var next: Ranking<(number: UInt16, key: [UInt8], timer: StoredRow.Timer)>
    /// The keys with the most.
    private(set) var most: Ranking<(number: UInt16, key: [UInt8], count: Int)>

    init(_ directory: OperatorDirectory, _ filter: TimerReport.Filter, limit: Int) {
        self.directory = directory
        self.filter = filter
        next = Ranking(limit: limit) { left, right in
            if left.timer.timeMicroseconds != right.timer.timeMicroseconds {
                return left.timer.timeMicroseconds < right.timer.timeMicroseconds
            }
            return left.key.lexicographicallyPrecedes(right.key)
        }
        most = Ranking(limit: limit) { left, right in
            if left.count != right.count { return left.count > right.count }
            return left.key.lexicographicallyPrecedes(right.key)
        }
    }

    /// Adds the timers of a key.
    mutating func add(_ number: UInt16, _ key: [UInt8], _ timers: [StoredRow.Timer]) {
        var count = 0
        for timer in timers {
            let name = directory.timerName(number, timer.name)
            guard filter.domain == nil || filter.domain == timer.domain,
                filter.name == nil || filter.name == name
            else { continue }
            count += 1
            next.add((number, key, timer))
            let place = "\(number)/\(timer.domain)/\(name)"
            var found =
                names[place]
                ?? TimerReport.Name(
                    operator: directory.name(number),
                    name: name,
                    domain: OperatorDirectory.domainName(timer.domain)
                )
            found.count += 1
            found.firstMicroseconds = min(found.firstMicroseconds, timer.timeMicroseconds)
            names[place] = found
        }
        total += count
        if count > 0 { most.add((number, key, count)) }
    }
}
