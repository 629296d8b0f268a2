public import ApusSDK

/// Counts the records of each key and minute, and tells the count when the minute is over.
public struct ApusNameOperator: KeyedOperator {
    /// The component's name.
    public static let id = "apus-name"
    /// What it does.
    public static let summary = "counts the records of each key and minute"

    // State and timers, kept by the host for each key; the names are stable for ever.
    let counts = MapState<UInt64, Int>("counts")  // by the minute's number
    let minuteIsOver = Timer("minute-is-over")

    /// Makes an instance; one per subtask.
    public init() {}

    /// Counts a record.
    public mutating func process(
        _ record: borrowing Record,
        _ context: borrowing Context
    ) throws {
        guard let time = record.eventTime, time >= Timestamp(microseconds: 0) else {
            throw RecordError("the record has no time")
        }
        let minute = UInt64(time.microseconds / 60_000_000)
        try context[counts].set((try context[counts].get(minute) ?? 0) + 1, for: minute)
        // Setting the minute's timer again replaces it.
        let start = Timestamp(microseconds: Int64(minute) * 60_000_000)
        try context.set(minuteIsOver, id: minute, at: start + .seconds(60))
    }

    /// A minute is over.
    public mutating func onTimer(
        _ timer: borrowing FiredTimer,
        _ context: borrowing Context
    ) throws {
        try context.emit("\(timer.key.text),\(try context[counts].get(timer.id) ?? 0)")
        try context[counts].remove(timer.id)
    }
}
