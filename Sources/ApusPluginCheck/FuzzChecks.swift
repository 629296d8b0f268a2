import ApusCore
import ApusIO
import ApusPluginHost
import CApusCheck

/// Group J: random sequences of legal calls, with everything that the other checks do at once.
enum FuzzChecks {
    static let all = [fuzz]

    static let fuzz = Check(
        id: "J91",
        name: "fuzz",
        demand: "Random sequences of legal calls, with limits, stops, restarts, guarded memory and "
            + "state that expires, do no harm, and give what calm runs give",
        strictness: 5,
        isRandomised: true,
        timeoutSeconds: 30
    ) { bench in
        try bench.requireSynchronous()
        let end =
            bench.clock.monotonicNanoseconds()
            + Int64(bench.settings.fuzzSeconds) * 1_000_000_000
        var round = 0
        while bench.clock.monotonicNanoseconds() < end {
            let seed = bench.settings.seed &+ UInt64(round)
            bench.note("round \(round), seed \(seed)")
            var random = SplitMix64(seed: SplitMix64.mix(seed))
            do {
                try once(bench, &random)
            } catch CheckStop.fail(let text) {
                throw CheckStop.fail("\(text) (in round \(round): its seed is \(seed))")
            }
            round += 1
        }
        return .pass("\(round) rounds")
    }

    private static func once(_ bench: CheckBench, _ random: inout SplitMix64) throws {
        let shape = Workload.Shape(
            recordCount: random.integer(in: 1...400),
            keyCount: random.integer(in: 1...40),
            values: random.integer(in: 0...3) == 0 ? .random : .mixed,
            recordsPerWatermark: random.integer(in: 1...100),
            hasTimeless: random.integer(in: 0...1) == 1
        )
        let workload = Workload(bench, &random, shape)
        let expected = try bench.run(bench.plugin, workload)
        let seed = random.next()
        let plugin = bench.layered { rules in
            rules.guards_input = UInt32(seed & 1)
            rules.seals_input = UInt32(seed >> 1 & 1)
            rules.guards_output = UInt32(seed >> 2 & 1)
            rules.expires_state = UInt32(seed >> 3 & 1)
            rules.struct_change = UInt32(seed >> 4 & 1)
            rules.limit_seed = seed >> 5 & 1 == 1 ? seed | 1 : 0
            rules.stop_seed = seed >> 6 & 1 == 1 ? seed | 1 : 0
            rules.record_capacity = UInt32(1 + seed >> 8 & 15)
        }
        let found = try bench.run(plugin, workload) {
            random.integer(in: 1...max(1, $0))
        }
        try bench.requireNone("octes")
        guard expected.failure == nil else { return }
        // One that is not deterministic cannot be compared.
        let again = try bench.run(bench.plugin, workload)
        guard again.difference(from: expected, names: bench.outputs) == nil else { return }
        try bench.require(found, equals: expected, "with limits, stops and cuts at random")
    }
}
