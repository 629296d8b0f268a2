import ApusSDK

/// Does what its records say: words that emit, throw, count and forward.
struct ScriptOperator: KeyedOperator {
    static let id = "script"
    static let summary = "does what its records say"
    static let acceptsRecordsWithoutKey = true

    let count = ValueState<Int>("count")
    let undeclared = Undeclared.state
    let reminder = Timer("reminder")
    let other = Timer("other", .processingTime)
    let side = Output("side", "a side output")
    let seen = Counter("seen", "records seen")
    var suffix = ""

    mutating func configure(_ configuration: borrowing Configuration) throws {
        let fields = try configuration.fields()
        try fields.allowOnly("suffix")
        suffix = try fields.optionalString("suffix") ?? ""
    }

    mutating func process(_ record: borrowing Record, _ context: borrowing Context) throws {
        context.increment(seen)
        for word in record.value.text.split(separator: " ") {
            switch word {
            case "bad": throw RecordError("bad: \(record.value.text)")
            case "fatal": throw OperatorError("it is broken")
            case "forward": try context.forward()
            case "count":
                let sum = try context[count].modify(default: 10) { count in
                    count += 1
                    return count
                }
                try context.emit(String(sum))
            case "undeclared": _ = try context[undeclared].get()
            case "keyed": try context.emit("keyed", key: "a key that is long enough", to: side)
            case _ where word.hasPrefix("s"): try context.emit(word + suffix, to: side)
            default: try context.emit(word + suffix)
            }
        }
    }

    mutating func onTimer(_ timer: borrowing FiredTimer, _ context: borrowing Context) throws {
        switch timer.timer {
        case reminder: try context.emit("reminder \(timer.id) \(timer.payload.text)")
        case other: throw RecordError("a timer of \(timer.key.text)")
        default: throw OperatorError("unknown timer")
        }
    }

    mutating func onWatermark(_ watermark: Timestamp, _ context: borrowing Context) throws {
        for _ in 0..<watermark.microseconds { try context.emit("watermark") }
    }
}

/// Adds up the lengths of values, many at once.
struct ManyOperator: KeyedOperator {
    static let id = "many"
    static let summary = "adds many at once"

    let sum = ValueState<Int>("sum")

    mutating func process(_ record: borrowing Record, _ context: borrowing Context) throws {}

    mutating func process(_ batch: borrowing Batch) throws {
        try sum.modifyEach(in: batch, default: 100) { record, context, sum in
            if record.value == "bad" { throw RecordError("bad") }
            sum += record.value.count
            try context.emit(String(sum))
        }
    }
}

/// Declares something else each time.
struct FickleOperator: Operator {
    static let id = "fickle"
    static let summary = "declares something else each time"
    nonisolated(unsafe) static var instanceCount = 0  // because its suite runs one test at a time

    let output: Output?

    init() {
        Self.instanceCount += 1
        output = Self.instanceCount > 1 ? Output("more", "one more") : nil
    }

    mutating func process(_ record: borrowing Record, _ context: borrowing Context) throws {}
}

/// Has state and is not keyed.
struct KeylessOperator: Operator {
    static let id = "keyless"
    static let summary = "has state and no keys"

    let state = CounterState("sum")

    mutating func process(_ record: borrowing Record, _ context: borrowing Context) throws {}
}

/// Has two states of one name.
struct TwinOperator: KeyedOperator {
    static let id = "twins"
    static let summary = "has two states of one name"

    let one = CounterState("sum")
    let two = ListState<Int>("sum")

    mutating func process(_ record: borrowing Record, _ context: borrowing Context) throws {}
}

/// A state that belongs to no operator.
enum Undeclared {
    static let state = ValueState<Int>("undeclared")
}
