import ApusCore
import ApusGraph
import ApusRuntime
import Testing

/// Goal: any graph over any input gives what its operators say.
///
/// Method: random graphs of up to six operators, random inputs cut into random batches, against a
/// model over whole arrays.
@Suite("Random graphs")
struct FuzzTests {
    /// A graph and what comes out of each of its nodes, as multisets.
    private struct Graph {
        var job: TestJob
        var random: SplitMix64
        /// What the model says comes out of each output, by `node` or `node.port`.
        var outputs: [String: [TestRecord]] = [:]
        /// Outputs whose order per key is known, so that running sums are.
        var ordered: Set<String> = []
        var expectedLetterCount = 0

        init(seed: UInt64) throws {
            random = SplitMix64(seed: seed)
            job = try TestJob(
                parallelism: Int.random(in: 1...5, using: &random),
                bufferTimeoutMicroseconds: [1, 1000, 1_000_000].randomElement(using: &random) ?? 1
            )
        }

        mutating func number(_ range: ClosedRange<Int>) -> Int {
            Int.random(in: range, using: &random)
        }

        mutating func pick() -> String {
            outputs.keys.sorted().randomElement(using: &random) ?? ""
        }
    }

    private static let seeds: [UInt64] = (1...40).map { $0 &* 0x9e37_79b9 }

    @Test("a random graph equals the model", arguments: seeds)
    func aRandomGraphEqualsTheModel(seed: UInt64) throws {
        var graph = try Graph(seed: seed)
        addSources(to: &graph)
        for index in 0..<graph.number(1...6) { try addOperator(to: &graph, "n\(index)") }
        let collectors = graph.outputs.keys.sorted().enumerated().map { index, port in
            (port, graph.job.addSink("out\(index)", [port], isParallel: graph.number(0...1) == 1))
        }
        let running = try graph.job.start()
        let summary = try running.wait(seconds: 20)
        #expect(summary.end == .finished, "seed \(seed)")
        for (port, collector) in collectors {
            // Event times of united records are those of the input; keys are what readers see.
            let found = collector.records.map(\.value).sorted()
            let expected = (graph.outputs[port] ?? []).map(\.value).sorted()
            #expect(
                found == expected,
                "seed \(seed), \(port): \(found.count) records, expected \(expected.count)"
            )
        }
        #expect(
            graph.job.deadLetters.letters.count == graph.expectedLetterCount,
            "seed \(seed)"
        )
    }

    private func addSources(to graph: inout Graph) {
        for index in 0..<graph.number(1...3) {
            let seed = graph.random.next()
            var records = Sample.numbers(
                graph.number(0...3000),
                keyCount: graph.number(1...200),
                seed: seed
            )
            // Each source has keys of its own, so that the order per key is one source's.
            records = records.map { record in
                var record = record
                record.value = "s\(index)" + record.value
                return record
            }
            for at in records.indices where graph.number(1...50) == 1 {
                records[at].value = "no key"
            }
            var steps: [ScriptedSource.Step] = []
            for record in records {
                steps.append(.record(record))
                if graph.number(1...100) == 1 { steps.append(.cut) }
                if graph.number(1...200) == 1 {
                    steps.append(.reject("{"))
                    graph.expectedLetterCount += 1
                }
            }
            graph.job.addSource("s\(index)", steps, isTimed: graph.number(0...1) == 1)
            graph.outputs["s\(index)"] = records
            graph.ordered.insert("s\(index)")
        }
    }

    private func addOperator(to graph: inout Graph, _ id: String) throws {
        let port = graph.pick()
        let records = graph.outputs[port] ?? []
        switch graph.number(0...4) {
        case 0:
            let configuration = ConfigurationValue.string("\(id)!:7")
            try graph.job.addOperator(id, "tagger", [port], configuration: configuration)
            graph.outputs[id] = records.map { record in
                TestRecord(value: record.value + "\(id)!:7", time: record.time)
            }
            if graph.ordered.contains(port) { graph.ordered.insert(id) }
        case 1:
            try graph.job.addOperator(id, "split", [port])
            let numbers = records.map { Model.number($0.value) }
            let pairs = zip(records, numbers)
            graph.outputs[id] = pairs.filter { ($1 ?? 1) % 2 == 0 }.map(\.0)
            graph.outputs[id + ".odd"] = pairs.filter { ($1 ?? 0) % 2 != 0 }.map(\.0)
            graph.expectedLetterCount += numbers.count { $0 == nil }
            if graph.ordered.contains(port) { graph.ordered.formUnion([id, id + ".odd"]) }
        case 2 where graph.ordered.contains(port):
            try graph.job.addOperator(id, "sum", [port], key: .prefix)
            let keyed = Model.keyed(records)
            let sums = Model.sum(keyed)
            graph.outputs[id] = sums
            graph.expectedLetterCount += records.count - sums.count
            graph.ordered.insert(id)
        case 3 where records.allSatisfy({ $0.time >= 0 }):
            // Windows do not depend on the order, but their times do not fit those of others.
            try graph.job.addOperator(id, "balance", [port], key: .prefix)
            var totals: [String: Int] = [:]
            for record in Model.keyed(records) {
                guard let number = Model.number(record.value) else { continue }
                totals[record.key ?? "", default: 0] += number
            }
            let counted = Model.keyed(records).filter { Model.number($0.value) != nil }.count
            graph.expectedLetterCount += records.count - counted
            graph.outputs[id] = totals.map { TestRecord(value: "\($0):\($1)", time: 0) }
            graph.ordered.insert(id)
        default:
            let other = graph.pick()
            try graph.job.addOperator(id, "union", [port, other])
            graph.outputs[id] =
                records.map { TestRecord(value: "0:" + $0.value, time: $0.time) }
                + (graph.outputs[other] ?? []).map {
                    TestRecord(value: "1:" + $0.value, time: $0.time)
                }
        }
    }
}
