import ApusSDKTesting
import CApusPlugin
import Testing

@testable import ApusSDK

/// Multiplies numbers by a factor that broadcast records set: "key=number", "key=" and "clear".
struct FactorOperator: KeyedOperator {
    static let id = "factor"
    static let summary = "multiplies by factors that change"
    static let broadcastInputCount = 1

    let factors = BroadcastState<String, Int64>("factors")
    let seen = AggregateState<Count>("seen")

    mutating func processBroadcast(
        _ record: borrowing Record,
        _ context: borrowing Context
    ) throws {
        let parts = record.value.text.split(separator: "=", omittingEmptySubsequences: false)
        if parts == ["clear"] { return try context[factors].clear() }
        guard parts.count == 2 else { throw RecordError("no rule") }
        if let factor = Int64(parts[1]) {
            try context[factors].set(factor, for: String(parts[0]))
        } else {
            try context.emit("\(try context[factors].remove(String(parts[0])))")
        }
    }

    mutating func process(_ record: borrowing Record, _ context: borrowing Context) throws {
        switch record.value.text {
        case "all":
            var all: [String] = []
            try context[factors].walk { all.append("\($0)=\($1)") }
            try context.emit("\(try context[factors].count()): \(all.joined(separator: " "))")
        case "range":
            var some: [String] = []
            try context[factors].walk(from: "a", to: "b") { some.append("\($0)=\($1)") }
            let first = try context[factors].first()
            try context.emit("\(some.joined(separator: " ")), first \(first?.key ?? "none")")
        case "write": try context[factors].set(1, for: "x")
        case let text:
            let factor = try context[factors].get(record.key.text) ?? 1
            try context.emit("\((Int64(text) ?? 0) * factor)")
        }
    }
}

/// Has broadcast state and nothing to change it.
struct DeafOperator: Operator {
    static let id = "deaf"
    static let summary = "has broadcast state and no broadcast input"

    let rules = BroadcastState<String, String>("rules")

    mutating func process(_ record: borrowing Record, _ context: borrowing Context) throws {}
}

extension OperatorTests {
    /// Broadcast inputs and state, on the host's own maps.
    @Suite("broadcast", .serialized)
    struct Broadcast {
        private static func keyed(_ values: [String]) -> [TestRecord] {
            values.map { TestRecord(key: "a", value: $0) }
        }

        @Test("rules that change are seen by records")
        func rules() throws {
            let host = try OperatorTests.host("factor")
            try host.processBroadcast(["b=7", "a=3", "nothing"])
            #expect(host.rejected == [2: "no rule"])
            try host.process(Self.keyed(["5", "all", "range"]))
            try host.processBroadcast(["a=", "a="])
            try host.process(Self.keyed(["5", "all"]))
            try host.processBroadcast(["clear"])
            try host.process(Self.keyed(["all"]))
            #expect(
                host.received[0].map(\.value) == [
                    "15", "2: a=3 b=7", "a=3, first a", "true", "false", "5", "1: b=7", "0: ",
                ]
            )
        }

        @Test("a write by any other handler ends the job with the reason")
        func writes() throws {
            let host = try OperatorTests.host("factor")
            let message =
                "broadcast state 'factors': it can be changed in processBroadcast alone"
            #expect(throws: TestHostError(code: APUS_FATAL, message: message)) {
                try host.process(Self.keyed(["write"]))
            }
        }

        @Test("the description says what there is, and which ABI it takes")
        func description() throws {
            let plugin = try #require(OperatorTests.plugin).pointee
            #expect(plugin.abi_minor_floor == 2)
            let components = (0..<Int(plugin.component_count)).compactMap {
                plugin.components[$0]?.pointee
            }
            let factor = try #require(components.first { $0.broadcast_count == 1 })
            #expect(factor.broadcast_input_count == 1)
            #expect(factor.state_count == 1)
            let state = try #require(factor.broadcasts[0]).pointee
            #expect(state.kind == UInt32(APUS_STATE_BROADCAST))
            #expect(state.fixed_len == 0)
        }

        @Test("broadcast state without a broadcast input is refused when the plugin is loaded")
        func deaf() {
            var error = apus_error()
            OperatorHarness.alone {
                let plugin = Plugin(
                    id: "test",
                    version: "1.0.0",
                    vendor: "Apus",
                    Component(DeafOperator.self)
                )
                .export(to: nil, &error)
                #expect(plugin == nil)
            }
            let text = withUnsafeBytes(of: error.message) {
                String(decoding: $0.prefix(Int(error.len)), as: UTF8.self)
            }
            #expect(
                text
                    == "operator 'deaf': it declares broadcast state, so its broadcastInputCount "
                    + "must be 1 or more"
            )
        }
    }
}
