import CApusPlugin
import Testing

@testable import ApusSDK

/// Keeps values that come, and does with them what other values say: "set 1 x", "get 1", "cut 1",
/// "all", "clear".
struct KeepOperator: Operator {
    static let id = "keep"
    static let summary = "keeps values in the subtask"

    let kept = OperatorState<String>("kept", .split, version: 3, schema: "text")
    let totals = OperatorState<Int64>("totals", .union)

    mutating func open(_ context: borrowing Context) throws {
        let total = try context[totals].elements().reduce(0, +)
        try context[totals].clear()
        try context[totals].append(total)
    }

    mutating func process(_ record: borrowing Record, _ context: borrowing Context) throws {
        let words = record.value.text.split(separator: " ").map(String.init)
        let position = words.count > 1 ? Int(words[1]) ?? 0 : 0
        switch words[0] {
        case "set": try context[kept].set(words[2], at: position)
        case "get": try context.emit(try context[kept].get(position))
        case "cut": try context[kept].truncate(to: position)
        case "clear": try context[kept].clear()
        case "all":
            let all = try context[kept].elements().joined(separator: " ")
            try context.emit("\(try context[kept].count()): \(all)")
        default: try context[kept].append(words[0])
        }
        try context[totals].set(try context[totals].get(0) + 1, at: 0)
    }
}

extension OperatorTests {
    /// Operator state, on the host's own lists.
    @Suite("operator state", .serialized)
    struct Lists {
        private static func process(_ host: TestHost, _ values: [String]) throws {
            try host.process(values.map { TestRecord(key: nil, value: $0) })
        }

        private static func bytes(_ value: some StateCodable) -> [UInt8] {
            var encoder = StateEncoder()
            defer { encoder.free() }
            encoder.replace(with: value)
            return Array(encoder.bytes)
        }

        @Test("items are kept, read, replaced and removed")
        func items() throws {
            let host = try OperatorTests.host("keep")
            try Self.process(
                host,
                ["a", "b", "c", "all", "set 1 B", "get 1", "cut 2", "all", "clear", "all"]
            )
            #expect(host.received[0].map(\.value) == ["3: a b c", "B", "2: a B", "0: "])
            #expect(host.operatorState.items() == [[], [Self.bytes(10 as Int64)]])
        }

        @Test("open finds what the checkpoint had")
        func open() throws {
            let plugin = try #require(OperatorTests.plugin)
            let host = try TestHost(
                plugin,
                component: "keep",
                items: [[Self.bytes("x")], ([3, 4, 5] as [Int64]).map { Self.bytes($0) }]
            )
            #expect(host.operatorState.items() == [[Self.bytes("x")], [Self.bytes(12 as Int64)]])
            try Self.process(host, ["all"])
            #expect(host.received[0].map(\.value) == ["1: x"])
        }

        @Test("a position behind the end ends the job with the reason", arguments: ["7", "-1"])
        func behindTheEnd(position: String) throws {
            let host = try OperatorTests.host("keep")
            let message = "operator state 'kept': the position is behind the end"
            #expect(throws: TestHostError(code: APUS_FATAL, message: message)) {
                try Self.process(host, ["get \(position)"])
            }
        }

        @Test("bytes of another type end the job when it begins")
        func otherBytes() throws {
            let plugin = try #require(OperatorTests.plugin)
            #expect(throws: TestHostError.self) {
                try TestHost(plugin, component: "keep", items: [[], [[1, 2, 3]]])
            }
        }

        @Test("the description says what there is, and which ABI it takes")
        func description() throws {
            let plugin = try #require(OperatorTests.plugin).pointee
            #expect(plugin.abi_minor_floor == 2)
            let components = (0..<Int(plugin.component_count)).compactMap {
                plugin.components[$0]?.pointee
            }
            let keep = try #require(components.first { $0.operator_state_count == 2 })
            #expect(keep.flags & APUS_KEYED == 0)
            let states = (0..<2).compactMap { keep.operator_states[$0]?.pointee }
            #expect(states.map(\.redistribution) == [APUS_SPLIT, APUS_UNION])
            #expect(states.map(\.schema_version) == [3, 1])
            #expect(states.map(\.size) == [80, 80])
        }
    }
}
