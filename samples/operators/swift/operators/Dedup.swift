package import ApusSDK

/// Passes a line on unless its key has had the same id a short while ago.
///
/// Each id has a timer that forgets it.  A line may be noticed to be past that time before the
/// timer fires; then the id is new, and its old timer finds it renewed.
package struct Dedup: KeyedOperator {
    // doc: inherited
    package static let id = "dedup"
    // doc: inherited
    package static let summary = "passes a line on unless the key has had its id a short while ago"

    let seen = MapState<[UInt8], Timestamp>("seen")
    let number = CounterState("number")
    let expired = Timer("expired")
    let duplicates = Output("duplicates", "lines with ids that the key has had")
    let duplicateCount = Counter("duplicates", "lines with known ids")
    private var column = 0
    private var ttl = Duration.zero

    // doc: inherited
    package init() {}

    // doc: inherited
    package mutating func configure(_ configuration: borrowing Configuration) throws {
        try configuration.fields().allowOnly("column", "ttl-seconds")
        column = Int(try configuration.integer("column", in: 0...999))
        ttl = .seconds(try configuration.integer("ttl-seconds", in: 1...86_400))
    }

    // doc: inherited
    package mutating func process(
        _ record: borrowing Record,
        _ context: borrowing Context
    ) throws {
        let time = try record.reasonableTime()
        guard let id = LineFields(record.value)[column], !id.isEmpty else {
            throw RecordError("the record has no id")
        }
        if let before = try context[seen].get(Array(id)), time < before + ttl {
            context.increment(duplicateCount)
            return try context.forward(to: duplicates)
        }
        try context.forward()
        try context[seen].set(time, for: Array(id))
        let timer = UInt64(bitPattern: try context[number].add(1))
        try context.set(expired, id: timer, at: time + ttl, payload: id)
    }

    // doc: inherited
    package mutating func onTimer(
        _ timer: borrowing FiredTimer,
        _ context: borrowing Context
    ) throws {
        let id = Array(timer.payload)
        if let before = try context[seen].get(id), before + ttl <= timer.time {
            try context[seen].remove(id)
        }
    }
}
