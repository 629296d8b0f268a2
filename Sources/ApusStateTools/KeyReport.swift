import ApusCheckpoint
package import ApusState

/// Everything of a key as `apus state get` and `scan` print it.
package struct KeyReport: Encodable, Equatable, Sendable {
    /// Some bytes.
    package struct Bytes: Encodable, Equatable, Sendable {
        /// As text; nil when they are none.
        package let text: String?
        /// As hexadecimal digits, when they are no text.
        package let hex: String?
        /// As a signed number: of counters, and of values whose length is fixed at 8 bytes, which
        /// are taken as little-endian.
        package let number: Int64?

        init(_ bytes: [UInt8], number: Int64? = nil) {
            text = ByteText.text(bytes)
            hex = text == nil ? ByteText.hexadecimal(bytes) : nil
            self.number = number
        }

        /// One of them.
        var shown: String {
            let bytes = text.map { "'\($0)'" } ?? "0x\(hex ?? "")"
            return number.map { "\($0) (\(bytes))" } ?? bytes
        }
    }

    /// An entry of a map.
    package struct Entry: Encodable, Equatable, Sendable {
        /// The key in the map.
        package let key: Bytes
        /// The value.
        package let value: Bytes
    }

    /// A state.
    package struct State: Encodable, Equatable, Sendable {
        /// Its name.
        package let name: String
        /// Its kind.
        package let kind: String
        /// What its bytes mean.
        package let schemaVersion: Int
        /// When it was last refreshed, of state with a time to live; RFC 3339.
        package let refreshed: String?
        /// The value, of values and counters.
        package var value: Bytes?
        /// The values of a list.
        package var values: [Bytes]?
        /// The entries of a map.
        package var entries: [Entry]?
    }

    /// A timer.
    package struct Timer: Encodable, Equatable, Sendable {
        /// Its name.
        package let name: String
        /// "event" or "processing".
        package let domain: String
        /// The plugin's id.
        package let id: UInt64
        /// When it is due; RFC 3339 where that can say it.
        package let time: String
        /// When it is due, in microseconds since 1970.
        package let timeMicroseconds: Int64
        /// What the plugin gets back.
        package let payload: Bytes?
    }

    /// The operator.
    package let `operator`: String
    /// The key.
    package let key: Bytes
    /// Its key group; nil of broadcast and operator state, which belong to no key.
    package let group: Int?
    /// The subtask, of operator state alone.
    package let subtask: Int?
    /// When it was last written; nil when that is not known.
    package let written: String?
    /// When it expires; nil for never.
    package let expires: String?
    /// The bytes of all its entries in the database.
    package let byteCount: Int
    /// Its states.
    package let states: [State]
    /// Its timers, the first to fire first.
    package let timers: [Timer]

    /// Describes a key.
    package init(_ content: KeyContent, _ directory: OperatorDirectory) {
        let number = content.operatorNumber
        `operator` = directory.name(number)
        key = Bytes(content.key)
        group = content.group
        subtask = nil
        written = TimeText.text(content.row.written)
        expires = TimeText.text(content.row.expires)
        byteCount = content.byteCount
        states = content.row.values.map { Self.state($0, content, directory) }
        timers = content.row.timers.sorted { $0.timeMicroseconds < $1.timeMicroseconds }
            .map { Self.timer($0, number, directory) }
    }

    /// Describes an entry of broadcast state.
    package init(
        _ content: BroadcastContent,
        _ map: BroadcastContent.Map,
        _ entry: BroadcastEntry
    ) {
        `operator` = content.operator
        key = Bytes(entry.key)
        group = nil
        subtask = nil
        written = nil
        expires = nil
        byteCount = entry.key.count + entry.value.count
        var state = State(
            name: map.name,
            kind: "broadcast",
            schemaVersion: map.schemaVersion,
            refreshed: nil
        )
        state.value = Bytes(entry.value)
        states = [state]
        timers = []
    }

    /// Describes the operator state of a subtask, whose name stands for the key.
    package init(
        _ content: OperatorStateContent,
        _ list: OperatorStateContent.List,
        subtask: Int
    ) {
        let items = list.subtasks[subtask]
        `operator` = content.operator
        key = Bytes(Array(list.name.utf8))
        group = nil
        self.subtask = subtask
        written = nil
        expires = nil
        byteCount = items.reduce(0) { $0 + $1.count }
        var state = State(
            name: list.name,
            kind: "operator",
            schemaVersion: list.schemaVersion,
            refreshed: nil
        )
        state.values = items.map { Bytes($0) }
        states = [state]
        timers = []
    }

    private static func state(
        _ value: StoredRow.Value,
        _ content: KeyContent,
        _ directory: OperatorDirectory
    ) -> State {
        let number = content.operatorNumber
        let kind = directory.kind(number, value.slot)
        var state = State(
            name: directory.slotName(number, value.slot),
            kind: kind.rawValue,
            schemaVersion: Int(value.schemaVersion),
            refreshed: value.refreshed.flatMap(TimeText.text)
        )
        switch content.collections[value.slot] {
        case .list(let values): state.values = values.map { Bytes($0) }
        case .map(let entries):
            state.entries = entries.map { Entry(key: Bytes($0.key), value: Bytes($0.value)) }
        case nil:
            var found: Int64?
            if value.bytes.count == 8 {
                if kind == .counter { found = BigEndian.integer(value.bytes) }
                if directory.declaration(number, value.slot)?.fixedByteCount == 8 {
                    found = BigEndian.integer(value.bytes.reversed())
                }
            }
            state.value = Bytes(value.bytes, number: found)
        }
        return state
    }

    static func timer(
        _ timer: StoredRow.Timer,
        _ number: UInt16,
        _ directory: OperatorDirectory
    ) -> Timer {
        Timer(
            name: directory.timerName(number, timer.name),
            domain: OperatorDirectory.domainName(timer.domain),
            id: timer.id,
            time: TimeText.text(microseconds: timer.timeMicroseconds),
            timeMicroseconds: timer.timeMicroseconds,
            payload: timer.payload.isEmpty ? nil : Bytes(timer.payload)
        )
    }

    /// The report as text.
    package var text: String {
        var lines = ["\(self.operator)  \(key.shown)"]
        lines.append(
            group.map {
                "  key group \($0), \(byteCount) bytes, written \(written ?? "unknown")"
                    + (expires.map { ", expires \($0)" } ?? "")
            }
                ?? (subtask.map { "  in subtask \($0), \(byteCount) bytes" }
                    ?? "  in every subtask, \(byteCount) bytes")
        )
        for state in states {
            let title =
                "  \(state.name): \(state.kind), schema \(state.schemaVersion)"
                + (state.refreshed.map { ", refreshed \($0)" } ?? "")
            if let value = state.value {
                lines.append(
                    title + " = "
                        + (state.kind == "counter" ? "\(value.number ?? 0)" : value.shown)
                )
            }
            if let values = state.values {
                lines.append("\(title), \(values.count) values")
                lines += values.enumerated().map { "    [\($0)] \($1.shown)" }
            }
            if let entries = state.entries {
                lines.append("\(title), \(entries.count) entries")
                lines += entries.map { "    \($0.key.shown) -> \($0.value.shown)" }
            }
        }
        lines += timers.map { timer in
            "  timer \(timer.name) \(timer.id): \(timer.domain) time \(timer.time)"
                + (timer.payload.map { ", payload \($0.shown)" } ?? "")
        }
        return lines.joined(separator: "\n")
    }
}
