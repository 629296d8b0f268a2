import ApusSDKTesting
import CApusPlugin
import Testing

@testable import ApusSDK

/// The distance between the extremes: an aggregate whose empty accumulator is not zero.
enum Spread: Aggregate {
    struct Accumulator: StateCodable {
        var least = Int64.max
        var most = Int64.min

        static let fixedByteCount = StateEncoder.byteCount(Int64.self, Int64.self)
        init() {}
        init(from decoder: inout StateDecoder) throws {
            least = try decoder.decode()
            most = try decoder.decode()
        }
        func encode(into encoder: inout StateEncoder) {
            encoder.encode(least)
            encoder.encode(most)
        }
    }

    static var empty: Accumulator { Accumulator() }
    static func add(_ input: Int64, to accumulator: inout Accumulator) throws {
        if input == 13 { throw RecordError("13 is refused") }
        accumulator.least = min(accumulator.least, input)
        accumulator.most = max(accumulator.most, input)
    }
    static func result(of accumulator: Accumulator) -> Int64 {
        accumulator.most - accumulator.least
    }
}

/// An aggregate whose accumulator has no fixed length.
enum Growing: Aggregate {
    static var empty: String { "" }
    static func add(_ input: String, to accumulator: inout String) { accumulator += input }
    static func result(of accumulator: String) -> String { accumulator }
}

/// Folds one record at a time and emits the result; "?" only asks, "clear" forgets.
struct FoldOperator<Rule: Aggregate>: KeyedOperator where Rule.Input: LosslessStringConvertible {
    static var id: String { "fold-\(Rule.self)".lowercased() }
    static var summary: String { "folds" }

    let state = AggregateState<Rule>("folded")

    mutating func process(_ record: borrowing Record, _ context: borrowing Context) throws {
        switch record.value.text {
        case "clear": try context[state].clear()
        case "?": try context.emit(try context[state].result().map { "\($0)" } ?? "nothing")
        case let text:
            guard let input = Rule.Input(text) else { throw RecordError("no number") }
            try context.emit("\(try context[state].add(input))")
        }
    }
}

/// The same, many at once.
struct FoldManyOperator: KeyedOperator {
    static let id = "fold-many"
    static let summary = "folds many at once"

    let state = AggregateState<Spread>("folded")

    mutating func process(_ record: borrowing Record, _ context: borrowing Context) throws {}

    mutating func process(_ batch: borrowing Batch) throws {
        try state.addEach(in: batch) { record in
            guard let input = Int64(record.value.text) else { throw RecordError("no number") }
            return input
        } then: { _, context, result in
            try context.emit("\(result)")
        }
    }
}

/// Counts records.
struct CountOperator: KeyedOperator {
    static let id = "count"
    static let summary = "counts"

    let state = AggregateState<Count>("counted")

    mutating func process(_ record: borrowing Record, _ context: borrowing Context) throws {
        try context.emit("\(try context[state].add())")
    }
}

/// Has an aggregate that cannot be kept.
struct GrowingOperator: KeyedOperator {
    static let id = "growing"
    static let summary = "has an aggregate of no fixed length"

    let state = AggregateState<Growing>("text")

    mutating func process(_ record: borrowing Record, _ context: borrowing Context) throws {}
}

extension OperatorTests {
    /// Aggregates of the SDK and of an operator's own.
    ///
    /// Inside of the suite of operators, because a library has one plugin, and tests run one
    /// after another.
    @Suite("aggregates", .serialized)
    struct Aggregates {
        private static func keyed(_ values: [String]) -> [TestRecord] {
            values.map { TestRecord(key: "k", value: $0) }
        }

        private static func results(_ id: String, _ values: [String]) throws -> [String] {
            let host = try OperatorTests.host(id)
            try host.process(keyed(values))
            return host.received[0].map(\.value)
        }

        @Test("the built-in ones fold as their names say")
        func builtIn() throws {
            let numbers = ["5", "-7", "9", "?"]
            #expect(try Self.results("fold-integersum", numbers) == ["5", "-2", "7", "7"])
            #expect(try Self.results("fold-integerminimum", numbers) == ["5", "-7", "-7", "-7"])
            #expect(try Self.results("fold-integermaximum", numbers) == ["5", "5", "9", "9"])
            #expect(
                try Self.results("fold-integeraverage", ["5", "-7", "8"]) == ["5.0", "-1.0", "2.0"]
            )
            #expect(
                try Self.results("fold-doublesum", ["1", "1e100", "1", "-1e100"]).last == "2.0"
            )
            #expect(try Self.results("fold-doubleminimum", ["2", "nan", "1"]).last == "nan")
            #expect(try Self.results("fold-doublemaximum", ["-0", "0"]).last == "0.0")
            #expect(try Self.results("fold-doubleaverage", ["1", "2"]) == ["1.0", "1.5"])
            #expect(try Self.results("count", ["a", "b"]) == ["1", "2"])
            #expect(
                try Self.results("fold-integersum", ["?", "3", "clear", "?"]) == [
                    "nothing", "3", "nothing",
                ]
            )
        }

        @Test("a sum beyond 64 bits is an error and not a wrong number")
        func sumBeyond() throws {
            let most = String(Int64.max)
            #expect(throws: TestHostError(code: APUS_FATAL, message: "a sum is beyond 64 bits")) {
                _ = try Self.results("fold-integersum", [most, "1"])
            }
        }

        @Test("one's own: an input that is refused leaves the accumulator as it was")
        func own() throws {
            let host = try OperatorTests.host("fold-spread")
            try host.process(Self.keyed(["13", "?", "5", "13", "25", "x"]))
            #expect(host.received[0].map(\.value) == ["nothing", "0", "20"])
            #expect(host.rejected == [0: "13 is refused", 3: "13 is refused", 5: "no number"])
        }

        @Test("many at once give what one by one gives", arguments: 1...20 as ClosedRange<UInt64>)
        func many(seed: UInt64) throws {
            var random = SeededRandom(seed: seed)
            let records = (0..<200).map { _ in
                let number = Int.random(in: 0...40, using: &random)
                return TestRecord(
                    key: "k\(Int.random(in: 0...9, using: &random))",
                    value: number == 40 ? "x" : "\(number)"
                )
            }
            var limits = TestHost.Limits()
            limits.recordsPerSegment = Int.random(in: 1...5, using: &random)
            limits.segmentsPerCallback = Int.random(in: 0...3, using: &random)
            let (one, many) = (
                try OperatorTests.host("fold-spread"),
                try OperatorTests.host("fold-many", limits: limits)
            )
            if Bool.random(using: &random) { many.keepStopping() }
            try one.process(records)
            try many.process(records)
            #expect(many.received == one.received, "seed \(seed)")
            #expect(many.rejected == one.rejected, "seed \(seed)")
            #expect(many.state.storedKeys == one.state.storedKeys, "seed \(seed)")
        }

        @Test("an accumulator without a fixed length is refused when the plugin is loaded")
        func growing() {
            var error = apus_error()
            OperatorHarness.alone {
                let plugin = Plugin(
                    id: "test",
                    version: "1.0.0",
                    vendor: "Apus",
                    Component(GrowingOperator.self)
                )
                .export(to: nil, &error)
                #expect(plugin == nil)
            }
            let text = withUnsafeBytes(of: error.message) {
                String(decoding: $0.prefix(Int(error.len)), as: UTF8.self)
            }
            #expect(
                text
                    == "operator 'growing': state 'text' is an aggregate, so its Accumulator needs "
                    + "a fixedByteCount of at least 1"
            )
        }
    }
}
