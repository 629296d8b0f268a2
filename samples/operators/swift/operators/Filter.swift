package import ApusSDK

/// Passes lines on whose number in a column is large enough; without state.
package struct Filter: Operator {
    // doc: inherited
    package static let id = "filter"
    // doc: inherited
    package static let summary = "passes lines on whose number is large enough"

    let kept = Counter("kept", "passed on")
    let dropped = Counter("dropped", "too small")
    private var column = 0
    private var minimum: Int64 = 0

    // doc: inherited
    package init() {}

    // doc: inherited
    package mutating func configure(_ configuration: borrowing Configuration) throws {
        try configuration.fields().allowOnly("column", "minimum")
        column = Int(try configuration.integer("column", in: 0...999))
        minimum = try configuration.fields().integer("minimum")
    }

    // doc: inherited
    package mutating func process(
        _ record: borrowing Record,
        _ context: borrowing Context
    ) throws {
        guard let text = LineFields(record.value)[column] else {
            throw RecordError("column \(column) is missing")
        }
        guard let amount = text.wholeNumber else {
            throw RecordError("column \(column) is not a whole number")
        }
        guard amount >= minimum else { return context.increment(dropped) }
        try context.forward()
        context.increment(kept)
    }
}
