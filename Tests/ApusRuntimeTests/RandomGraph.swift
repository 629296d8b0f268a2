import ApusCore
import ApusGraph

/// A graph and what comes out of each of its nodes, as multisets.
struct RandomGraph {
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

    /// Adds sources of which each rests so long after a batch, in microseconds.
    mutating func addSources(restingMicroseconds: UInt32 = 0) {
        for index in 0..<number(1...3) {
            let seed = random.next()
            var records = Sample.numbers(
                number(0...3000),
                keyCount: number(1...200),
                seed: seed
            )
            // Each source has keys of its own, so that the order per key is one source's.
            records = records.map { record in
                var record = record
                record.value = "s\(index)" + record.value
                return record
            }
            for at in records.indices where number(1...50) == 1 {
                records[at].value = "no key"
            }
            var steps: [ScriptedSource.Step] = []
            for record in records {
                steps.append(.record(record))
                if number(1...100) == 1 {
                    steps.append(restingMicroseconds > 0 ? .pause(restingMicroseconds) : .cut)
                }
                if number(1...200) == 1 {
                    steps.append(.reject("{"))
                    expectedLetterCount += 1
                }
            }
            job.addSource("s\(index)", steps, isTimed: number(0...1) == 1)
            outputs["s\(index)"] = records
            ordered.insert("s\(index)")
        }
    }

    mutating func addOperator(_ id: String) throws {
        let port = pick()
        let records = outputs[port] ?? []
        switch number(0...4) {
        case 0:
            let configuration = ConfigurationValue.string("\(id)!:7")
            try job.addOperator(id, "tagger", [port], configuration: configuration)
            outputs[id] = records.map { record in
                TestRecord(value: record.value + "\(id)!:7", time: record.time)
            }
            if ordered.contains(port) { ordered.insert(id) }
        case 1:
            try job.addOperator(id, "split", [port])
            let numbers = records.map { Model.number($0.value) }
            let pairs = zip(records, numbers)
            outputs[id] = pairs.filter { ($1 ?? 1) % 2 == 0 }.map(\.0)
            outputs[id + ".odd"] = pairs.filter { ($1 ?? 0) % 2 != 0 }.map(\.0)
            expectedLetterCount += numbers.count { $0 == nil }
            if ordered.contains(port) { ordered.formUnion([id, id + ".odd"]) }
        case 2 where ordered.contains(port):
            try job.addOperator(id, "sum", [port], key: .prefix)
            let keyed = Model.keyed(records)
            let sums = Model.sum(keyed)
            outputs[id] = sums
            expectedLetterCount += records.count - sums.count
            ordered.insert(id)
        case 3 where records.allSatisfy({ $0.time >= 0 }):
            // Windows do not depend on the order, but their times do not fit those of others.
            try job.addOperator(id, "balance", [port], key: .prefix)
            var totals: [String: Int] = [:]
            for record in Model.keyed(records) {
                guard let number = Model.number(record.value) else { continue }
                totals[record.key ?? "", default: 0] += number
            }
            let counted = Model.keyed(records).filter { Model.number($0.value) != nil }.count
            expectedLetterCount += records.count - counted
            outputs[id] = totals.map { TestRecord(value: "\($0):\($1)", time: 0) }
            ordered.insert(id)
        default:
            let other = pick()
            try job.addOperator(id, "union", [port, other])
            outputs[id] =
                records.map { TestRecord(value: "0:" + $0.value, time: $0.time) }
                + (outputs[other] ?? []).map {
                    TestRecord(value: "1:" + $0.value, time: $0.time)
                }
        }
    }
}
