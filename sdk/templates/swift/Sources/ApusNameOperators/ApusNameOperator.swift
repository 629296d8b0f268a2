public import ApusSDK

/// Counts the records of each key, and tells the count when the key has been silent for a minute of
/// event time.
public struct ApusNameOperator: KeyedOperator {
    /// The component's name.
    public static let id = "apus-name"
    /// What it does.
    public static let summary = "counts the records of each key until it is silent for a minute"

    // State and timers, kept by the host for each key; the names are stable for ever.
    let count = CounterState("count")
    let quiet = Timer("quiet")

    /// Makes an instance; one per subtask.
    public init() {}

    /// Counts a record.
    public mutating func process(
        _ record: borrowing Record,
        _ context: borrowing Context
    ) throws {
        guard let time = record.eventTime else { throw RecordError("the record has no time") }
        try context[count].add(1)
        try context.set(quiet, at: time + .seconds(60))
    }

    /// The key has been silent.
    public mutating func onTimer(
        _ timer: borrowing FiredTimer,
        _ context: borrowing Context
    ) throws {
        try context.emit("\(timer.key.text),\(try context[count].get())")
        try context[count].clear()
    }
}
