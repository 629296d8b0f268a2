package import ApusSDK

/// Tells what a key did until it was silent for a while.
///
/// A session ends when the key's next record is later than the gap, or when event time says that no
/// such record can come any more, whichever is noticed first: both write the same line.
package struct Sessions: KeyedOperator {
    // doc: inherited
    package static let id = "sessions"
    // doc: inherited
    package static let summary = "what a key did until it was silent for a while"

    /// The times of the session that is open.
    package struct Span: StateCodable {
        /// Of its first record.
        package var first: Timestamp
        /// Of its last record.
        package var last: Timestamp

        // doc: inherited
        package static let fixedByteCount = StateEncoder.byteCount(
            Timestamp.self,
            Timestamp.self
        )

        init(first: Timestamp, last: Timestamp) {
            self.first = first
            self.last = last
        }

        // doc: inherited
        package init(from decoder: inout StateDecoder) throws {
            first = try decoder.decode()
            last = try decoder.decode()
        }

        // doc: inherited
        package func encode(into encoder: inout StateEncoder) {
            encoder.encode(first)
            encoder.encode(last)
        }
    }

    let span = ValueState<Span>("span")
    let newest = ValueState<Timestamp>("newest")
    let number = CounterState("number")
    let items = ListState<[UInt8]>("items")
    let silent = Timer("silent")
    let late = Output("late", "lines that came after their session")
    let lateCount = Counter("late", "late lines")
    private var gap = Duration.zero

    // doc: inherited
    package init() {}

    // doc: inherited
    package mutating func configure(_ configuration: borrowing Configuration) throws {
        try configuration.fields().allowOnly("gap-seconds")
        gap = .seconds(try configuration.integer("gap-seconds", in: 1...86_400))
    }

    // doc: inherited
    package mutating func process(
        _ record: borrowing Record,
        _ context: borrowing Context
    ) throws {
        let time = try record.reasonableTime()
        let latest = try context[newest].get() ?? time
        if time < latest - gap {
            context.increment(lateCount)
            return try context.forward(to: late)
        }
        var open = try context[span].get()
        if let span = open, time > span.last + gap {
            try endSession(record.key, span, context)
            open = nil
        }
        let now = Span(first: min(open?.first ?? time, time), last: max(open?.last ?? time, time))
        try context[items].append(Array(LineFields(record.value).last))
        try context[span].set(now)
        try context[newest].set(max(latest, time))
        try context.set(silent, at: now.last + gap)
    }

    // doc: inherited
    package mutating func onTimer(
        _ timer: borrowing FiredTimer,
        _ context: borrowing Context
    ) throws {
        if let span = try context[span].get() { try endSession(timer.key, span, context) }
    }

    private func endSession(_ key: Bytes, _ whole: Span, _ context: borrowing Context) throws {
        let number = try context[number].add(1)
        var line = Array(key)
        line += ",\(number),\(whole.first.microseconds),\(whole.last.microseconds),".utf8
        line += try context[items].elements().joined(separator: [UInt8(ascii: "+")])
        try context.emit(line, key: key, at: whole.last)
        try context[span].clear()
        try context[items].clear()
    }
}
