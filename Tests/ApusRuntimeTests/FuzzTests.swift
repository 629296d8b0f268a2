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
    private static let seeds: [UInt64] = (1...40).map { $0 &* 0x9e37_79b9 }

    @Test("a random graph equals the model", arguments: seeds)
    func aRandomGraphEqualsTheModel(seed: UInt64) throws {
        var graph = try RandomGraph(seed: seed)
        graph.addSources()
        for index in 0..<graph.number(1...6) { try graph.addOperator("n\(index)") }
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
}
