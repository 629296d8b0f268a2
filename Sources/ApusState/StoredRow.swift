/// A row of the state database taken apart, for tools; see ``RowCodec`` for its bytes.
package struct StoredRow: Equatable, Sendable {
    /// What a slot holds.
    package struct Value: Equatable, Sendable {
        /// The slot.
        package var slot: Int
        /// What the bytes mean, by the operator's numbering.
        package var schemaVersion: UInt16
        /// The bytes; none for lists and maps, whose entries have keys of their own.
        package var bytes: [UInt8]
        /// When it was last refreshed; nil for a value that does not expire.
        package var refreshed: CoarseTime?

        /// Creates a value.
        package init(slot: Int, schemaVersion: UInt16, bytes: [UInt8]) {
            self.slot = slot
            self.schemaVersion = schemaVersion
            self.bytes = bytes
        }
    }

    /// A timer that is armed.
    package struct Timer: Equatable, Sendable {
        /// 0 is event time, 1 processing time.
        package var domain: UInt8
        /// The number of its name among the operator's timers.
        package var name: Int
        /// The plugin's id.
        package var id: UInt64
        /// When it is due, in microseconds since 1970.
        package var timeMicroseconds: Int64
        /// What the plugin gets back.
        package var payload: [UInt8]

        /// Creates a timer.
        package init(
            domain: UInt8,
            name: Int,
            id: UInt64,
            timeMicroseconds: Int64,
            payload: [UInt8]
        ) {
            self.domain = domain
            self.name = name
            self.id = id
            self.timeMicroseconds = timeMicroseconds
            self.payload = payload
        }
    }

    /// When it was last written; 0 when that is not known.
    package var written = CoarseTime(seconds: 0)
    /// When it expires; 0 for never.
    package var expires = CoarseTime(seconds: 0)
    /// What its slots hold, in the order of the slots.
    package var values: [Value] = []
    /// Its timers, in no order.
    package var timers: [Timer] = []

    /// Creates a row that holds nothing.
    package init() {}

    /// Takes a row apart; nil when the bytes are not those of a row.
    package init?(_ bytes: [UInt8]) {
        // SAFETY: the reader and what it hands out are used during the call only.
        let row: StoredRow? = bytes.withUnsafeBytes { all in
            guard var reader = RowCodec.Reader(all), all[1..<4].allSatisfy({ $0 == 0 }) else {
                return nil
            }
            var row = StoredRow()
            row.written = CoarseTime(seconds: reader.writtenSeconds)
            row.expires = CoarseTime(seconds: reader.expiresSeconds)
            while !reader.isAtEnd {
                guard let field = reader.next(), row.add(field) else { return nil }
            }
            return row
        }
        guard let row else { return nil }
        self = row
    }

    private mutating func add(_ field: RowCodec.Field) -> Bool {
        switch field {
        case .value(let slot, let schemaVersion, let bytes):
            guard slot < RowLayout.slotCountMax else { return false }
            values.append(
                Value(slot: Int(slot), schemaVersion: schemaVersion, bytes: Array(bytes))
            )
        case .stamp(let slot, let seconds):
            guard let last = values.indices.last, values[last].slot == Int(slot) else {
                return false
            }
            values[last].refreshed = CoarseTime(seconds: seconds)
        case .timer(let domain, let name, let id, let time, let payload):
            guard domain <= 1 else { return false }
            timers.append(
                Timer(
                    domain: domain,
                    name: name,
                    id: id,
                    timeMicroseconds: time,
                    payload: Array(payload)
                )
            )
        }
        return true
    }

    /// The row as it is in the database.
    package var bytes: [UInt8] {
        var bytes: [UInt8] = [RowCodec.format, 0, 0, 0]
        Self.add(written.seconds, to: &bytes)
        Self.add(expires.seconds, to: &bytes)
        for value in values.sorted(by: { $0.slot < $1.slot }) {
            bytes.append(UInt8(truncatingIfNeeded: value.slot))
            Self.add(value.schemaVersion, to: &bytes)
            Self.addCounted(value.bytes, to: &bytes)
            if let refreshed = value.refreshed {
                bytes.append(RowCodec.stampTag | UInt8(truncatingIfNeeded: value.slot))
                Self.add(refreshed.seconds, to: &bytes)
            }
        }
        for timer in timers {
            bytes.append(RowCodec.timerTag | timer.domain)
            Self.addVarint(timer.name, to: &bytes)
            Self.add(timer.id, to: &bytes)
            Self.add(timer.timeMicroseconds, to: &bytes)
            Self.addCounted(timer.payload, to: &bytes)
        }
        return bytes
    }

    /// Whether it holds neither values nor timers: the database has no such row.
    package var isEmpty: Bool { values.isEmpty && timers.isEmpty }

    /// When the first timer of a domain is due, which is where the key's wake-up lies; nil without.
    package func wakeMicroseconds(domain: UInt8) -> Int64? {
        timers.lazy.filter { $0.domain == domain }.map(\.timeMicroseconds).min()
    }

    /// The values in a segment of a list; nil when the bytes are not those of a segment.
    package static func listValues(ofSegment segment: [UInt8]) -> [[UInt8]]? {
        var values: [[UInt8]] = []
        var at = 0
        while at < segment.count {
            guard segment.count - at >= 4 else { return nil }
            let length = segment[at..<at + 4].reversed().reduce(0) { $0 << 8 | Int($1) }
            guard length <= segment.count - at - 4 else { return nil }
            values.append(Array(segment[at + 4..<at + 4 + length]))
            at += 4 + length
        }
        return values
    }

    /// The bytes of a segment of a list.
    package static func segment(ofListValues values: [[UInt8]]) -> [UInt8] {
        var segment: [UInt8] = []
        for value in values {
            for shift in [0, 8, 16, 24] {
                segment.append(UInt8(truncatingIfNeeded: value.count >> shift))
            }
            segment += value
        }
        return segment
    }

    private static func addCounted(_ value: [UInt8], to bytes: inout [UInt8]) {
        addVarint(value.count, to: &bytes)
        bytes += value
    }

    private static func addVarint(_ value: Int, to bytes: inout [UInt8]) {
        var left = value
        while left >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: left) | 0x80)
            left >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: left))
    }

    private static func add(_ value: some FixedWidthInteger, to bytes: inout [UInt8]) {
        for shift in stride(from: value.bitWidth - 8, through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }
}
