import ApusCore
import ApusPluginHost

extension DataChecks {
    static let promises = Check(
        id: "E61",
        name: "keeps-promises",
        demand: "What the flags promise of the output is so: one for each, the same key, records "
            + "as they came",
        strictness: 5,
        isRandomised: true
    ) { bench in
        try bench.requireSynchronous()
        let promises = bench.description.promises
        guard !promises.isDisjoint(with: [.oneToOne, .forwardsKey, .filterOnly]) else {
            throw CheckStop.skip("it promises nothing of its output")
        }
        for round in 0..<4 {
            var random = bench.numbers(round)
            let workload = Workload(bench, &random)
            let run = try OperatorRun(bench.plugin, bench)
            try run.open()
            for step in workload.steps {
                guard case .records(let input, let records) = step else {
                    try run.take(step)
                    continue
                }
                for index in records.indices {
                    try check(run, records[index...index], input, promises, bench.outputs)
                }
            }
        }
        return .pass()
    }

    /// Gives one record, and looks at what came of it.
    private static func check(
        _ run: OperatorRun,
        _ record: ArraySlice<InputRecord>,
        _ input: Int,
        _ promises: Promises,
        _ names: [String]
    ) throws {
        guard let given = record.first else { return }
        for port in run.recent.indices { run.recent[port] = [] }
        let refusedCount = run.transcript.rejected.count
        try run.process(record, input: input)
        guard run.transcript.failure == nil else { return }
        let isRefused = run.transcript.rejected.count > refusedCount
        let whole = OutputRecord(key: given.key, value: given.value, time: given.time)
        if promises.contains(.oneToOne), !isRefused, run.recent[0].count != 1 {
            throw CheckStop.fail(
                "it says APUS_ONE_TO_ONE, but wrote \(run.recent[0].count) records to "
                    + "'\(names[0])' for [\(whole.text)]"
            )
        }
        for (port, written) in run.recent.enumerated() {
            for output in written {
                if promises.contains(.forwardsKey), output.key != given.key {
                    throw CheckStop.fail(
                        "it says APUS_FORWARDS_KEY, but wrote [\(output.text)] to '\(names[port])' "
                            + "for [\(whole.text)]"
                    )
                }
                if promises.contains(.filterOnly), output != whole {
                    throw CheckStop.fail(
                        "it says APUS_FILTER_ONLY, but wrote [\(output.text)] to '\(names[port])' "
                            + "for [\(whole.text)]"
                    )
                }
            }
            if promises.contains(.filterOnly), written.count > 1 {
                throw CheckStop.fail(
                    "it says APUS_FILTER_ONLY, but wrote \(written.count) records to "
                        + "'\(names[port])' for one"
                )
            }
        }
    }
}
