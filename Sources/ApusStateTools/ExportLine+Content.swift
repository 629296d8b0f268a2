import ApusCheckpoint
import ApusState

extension ExportLine {
    /// The lines of a key.
    ///
    /// - Parameters:
    ///   - content: The key.
    ///   - directory: Has the names.
    ///   - wanted: The slot to export, without timers; nil for everything.
    /// - Returns: A line for each value, element, entry and timer.
    static func lines(
        _ content: KeyContent,
        _ directory: OperatorDirectory,
        slot wanted: Int? = nil
    ) -> [ExportLine] {
        let number = content.operatorNumber
        var start = ExportLine()
        start.operator = directory.name(number)
        set(content.key, &start.key, &start.keyHex)
        start.written = TimeText.text(content.row.written)
        start.expires = TimeText.text(content.row.expires)
        var lines: [ExportLine] = []
        for value in content.row.values where wanted == nil || wanted == value.slot {
            var line = start
            line.state = directory.slotName(number, value.slot)
            line.kind = directory.kind(number, value.slot).rawValue
            line.schemaVersion = value.schemaVersion
            line.refreshed = value.refreshed.flatMap(TimeText.text)
            lines += self.lines(line, value, content.collections[value.slot])
        }
        guard wanted == nil else { return lines }
        let timers = content.row.timers.sorted {
            ($0.timeMicroseconds, $0.name, $0.id) < ($1.timeMicroseconds, $1.name, $1.id)
        }
        for timer in timers {
            var line = start
            line.timer = directory.timerName(number, timer.name)
            line.kind = "timer"
            line.domain = OperatorDirectory.domainName(timer.domain)
            line.id = timer.id
            line.timeMicroseconds = timer.timeMicroseconds
            if !timer.payload.isEmpty { set(timer.payload, &line.payload, &line.payloadHex) }
            lines.append(line)
        }
        return lines
    }

    private static func lines(
        _ start: ExportLine,
        _ value: StoredRow.Value,
        _ collection: KeyContent.Collection?
    ) -> [ExportLine] {
        switch collection {
        case .list(let values):
            return values.enumerated().map { index, value in
                var line = start
                line.index = index
                set(value, &line.value, &line.valueHex)
                return line
            }
        case .map(let entries):
            return entries.map { entry in
                var line = start
                set(entry.key, &line.mapKey, &line.mapKeyHex)
                set(entry.value, &line.value, &line.valueHex)
                return line
            }
        case nil:
            var line = start
            if start.kind == "counter", value.bytes.count == 8 {
                line.number = BigEndian.integer(value.bytes)
            } else {
                set(value.bytes, &line.value, &line.valueHex)
            }
            return [line]
        }
    }

    // MARK: - Back

    /// Whether it is of broadcast or operator state, which belong to no key.
    var isOwnState: Bool { kind == "broadcast" || kind == "operator" }

    /// What a line brings.
    enum Item: Equatable {
        /// A value or counter, or what is in the row of an unknown state.
        case value(slot: Int, schemaVersion: UInt16?, bytes: [UInt8])
        /// An element of a list.
        case element(slot: Int, schemaVersion: UInt16?, index: Int, bytes: [UInt8])
        /// An entry of a map or of an unknown state.
        case entry(slot: Int, schemaVersion: UInt16?, mapKey: [UInt8], bytes: [UInt8])
        /// A timer.
        case timer(StoredRow.Timer)
    }

    /// The operator, the key and what the line brings, checked against what operators declare.
    func item(
        _ directory: OperatorDirectory
    ) throws(StateToolError) -> (operatorNumber: UInt16, key: [UInt8], item: Item) {
        guard let name = self.operator else { throw missing("operator") }
        guard !isOwnState else {
            throw wrong(
                "\(kind ?? "") state is no keyed state, which alone `apus state purge` removes and "
                    + "`apus state undo` brings back; leave such lines out, or bring them in with "
                    + "`apus state import`"
            )
        }
        let number = try directory.number(name)
        guard let key = try bytes("key", key, keyHex) else { throw missing("key") }
        guard let kind else { throw missing("kind") }
        if kind == "timer" { return (number, key, .timer(try timer(number, directory))) }
        guard let state else { throw missing("state") }
        let slot = try directory.slot(number, state)
        let declared = directory.kind(number, slot)
        guard declared.rawValue == kind else {
            throw wrong(
                "state '\(state)' is of the kind '\(declared.rawValue)', found kind '\(kind)'"
            )
        }
        if declared == .counter {
            guard let sum = self.number else { throw missing("number") }
            let bytes = BigEndian.bytes(sum)
            return (number, key, .value(slot: slot, schemaVersion: schemaVersion, bytes: bytes))
        }
        guard let value = try bytes("value", value, valueHex) else { throw missing("value") }
        return (number, key, try item(slot, declared, value, (number, directory)))
    }

    private func item(
        _ slot: Int,
        _ kind: OperatorDirectory.Kind,
        _ value: [UInt8],
        _ owner: (number: UInt16, directory: OperatorDirectory)
    ) throws(StateToolError) -> Item {
        switch kind {
        case .list:
            guard let index, index >= 0 else { throw missing("index") }
            return .element(slot: slot, schemaVersion: schemaVersion, index: index, bytes: value)
        case .map, .unknown:
            if let mapKey = try bytes("mapKey", mapKey, mapKeyHex) {
                return .entry(
                    slot: slot,
                    schemaVersion: schemaVersion,
                    mapKey: mapKey,
                    bytes: value
                )
            }
            guard kind == .unknown else { throw missing("mapKey") }
        case .value, .counter:
            let declared = owner.directory.declaration(owner.number, slot)
            if let length = declared?.fixedByteCount, length != value.count {
                throw wrong(
                    "state '\(declared?.name ?? "")' has values of \(length) bytes, found "
                        + "\(value.count) bytes"
                )
            }
        }
        return .value(slot: slot, schemaVersion: schemaVersion, bytes: value)
    }

    private func timer(
        _ number: UInt16,
        _ directory: OperatorDirectory
    ) throws(StateToolError) -> StoredRow.Timer {
        guard let name = timer else { throw missing("timer") }
        guard let id else { throw missing("id") }
        guard let timeMicroseconds else { throw missing("timeMicroseconds") }
        let index = try directory.timer(number, name)
        guard let domain = ["event", "processing"].firstIndex(of: domain ?? "") else {
            throw wrong("'domain' must be \"event\" or \"processing\"")
        }
        let timers = directory.declared(number)?.timers ?? []
        if timers.indices.contains(index), timers[index].domain != self.domain {
            throw wrong("timer '\(name)' is one of \(timers[index].domain) time")
        }
        return StoredRow.Timer(
            domain: UInt8(domain),
            name: index,
            id: id,
            timeMicroseconds: timeMicroseconds,
            payload: try bytes("payload", payload, payloadHex) ?? []
        )
    }

    /// The times that the line has; those that it has not are 0.
    ///
    /// - Parameter now: The last write of a line that does not say it.
    /// - Returns: The times.
    /// - Throws: ``StateToolError`` when one is none.
    func times(
        unlessKnown now: CoarseTime = CoarseTime(seconds: 0)
    ) throws(StateToolError) -> Times {
        Times(
            written: written == nil ? now : try time("written", written),
            expires: try time("expires", expires),
            refreshed: try time("refreshed", refreshed)
        )
    }

    /// The times of a line.
    struct Times {
        /// When the key was last written.
        let written: CoarseTime
        /// When the key expires.
        let expires: CoarseTime
        /// When the state was last refreshed.
        let refreshed: CoarseTime
    }

    private func time(
        _ name: String,
        _ text: String?
    ) throws(StateToolError) -> CoarseTime {
        guard let text else { return CoarseTime(seconds: 0) }
        guard let time = TimeText.coarseTime(text) else {
            throw wrong("'\(name)': expected a time as 2026-11-23T18:00:00Z, found '\(text)'")
        }
        return time
    }

    /// The bytes that a pair of members has; nil for none.
    func bytes(
        _ name: String,
        _ text: String?,
        _ hex: String?
    ) throws(StateToolError) -> [UInt8]? {
        if let text {
            guard hex == nil else { throw wrong("'\(name)' and '\(name)Hex': expected one") }
            return Array(text.utf8)
        }
        guard let hex else { return nil }
        guard let bytes = ByteText.bytes(hexadecimal: hex) else {
            throw wrong("'\(name)Hex': expected pairs of hexadecimal digits, found '\(hex)'")
        }
        return bytes
    }

    private func missing(_ name: String) -> StateToolError {
        wrong("'\(name)' is missing")
    }

    private func wrong(_ what: String) -> StateToolError { StateToolError(.input, what) }
}
