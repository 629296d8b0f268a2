import ApusCore
import ApusIO
import ApusPluginHost

/// Asynchronous calls: D40 and G78 to G81.
enum AsyncChecks {
    static let all = [outstanding, results, capacity, timeouts, again]

    private static func input(_ bench: CheckBench, _ count: Int = 100) throws -> [InputRecord] {
        guard bench.description.isAsynchronous else {
            throw CheckStop.skip("it makes no asynchronous calls")
        }
        var random = bench.numbers()
        return Workload(bench, &random, Workload.Shape(recordCount: count)).records
    }

    /// Runs all records and gives everything that came out.
    ///
    /// - Throws: ``CheckStop`` when calls are not answered, so that nothing can be compared.
    private static func whole(
        _ bench: CheckBench,
        _ records: [InputRecord],
        capacity: Int = 100
    ) throws -> (results: [String], count: Int) {
        var settings = AsyncSettings()
        settings.capacity = capacity
        let run = try AsyncRun(bench.plugin, bench, settings)
        try run.process(records)
        try run.close()
        guard run.unansweredCount == 0 else {
            throw CheckStop.skip(
                "\(run.unansweredCount) of \(run.begunCount) calls were not completed in 5 s; "
                    + "whom it calls must be there, or be played by the plugin"
            )
        }
        if let failure = run.run.transcript.failure {
            throw CheckStop.skip("it failed on generated input: \(failure)")
        }
        return (run.results, run.begunCount)
    }

    static let outstanding = Check(
        id: "D40",
        name: "close-with-calls-under-way",
        demand: "An instance can be closed and destroyed while calls are under way, and what "
            + "completes them later does no harm",
        strictness: 5,
        isRandomised: true
    ) { bench in
        let records = try input(bench, 40)
        var count = 0
        for _ in 0..<10 {
            let run = try AsyncRun(bench.plugin, bench, AsyncSettings())
            try run.process(records, awaits: false)
            try run.close()
            count += run.unansweredCount
        }
        return .pass("\(count) calls")
    }

    static let results = Check(
        id: "G78",
        name: "completes-calls",
        demand: "Calls are completed, in whatever order, with the same results in every run",
        strictness: 5,
        isRandomised: true,
        timeoutSeconds: 60
    ) { bench in
        let records = try input(bench)
        let first = try whole(bench, records)
        let second = try whole(bench, records)
        if let text = Transcript.difference(first.results, second.results, "result", "") {
            return .warn("the second time \(text)")
        }
        return .pass("\(first.count) calls")
    }

    static let capacity = Check(
        id: "G79",
        name: "capacity-of-one",
        demand: "With a single place for calls the results are the same: the capacity is the job's",
        strictness: 5,
        isRandomised: true,
        timeoutSeconds: 60
    ) { bench in
        let records = try input(bench, 40)
        let many = try whole(bench, records)
        let one = try whole(bench, records, capacity: 1)
        if let text = Transcript.difference(many.results, one.results, "result", "") {
            throw CheckStop.fail("with a capacity of 1, \(text)")
        }
        return .pass("\(one.count) calls")
    }

    static let timeouts = Check(
        id: "G80",
        name: "calls-that-time-out",
        demand: "Calls that time out are cancelled and come back as APUS_TIMED_OUT; completing "
            + "them later does no harm",
        strictness: 5,
        isRandomised: true,
        timeoutSeconds: 60
    ) { bench in
        let records = try input(bench, 40)
        var settings = AsyncSettings()
        settings.timeoutMicroseconds = 1
        let run = try AsyncRun(bench.plugin, bench, settings)
        try run.process(records)
        try run.close()
        return .pass("\(run.begunCount) calls")
    }

    static let again = Check(
        id: "G81",
        name: "calls-begun-again",
        demand: "Records whose calls were under way in a checkpoint are given again, with "
            + "APUS_BATCH_AGAIN, and give what they would have given",
        strictness: 5,
        isRandomised: true,
        timeoutSeconds: 60
    ) { bench in
        let records = try input(bench, 40)
        guard bench.description.states.isEmpty else {
            throw CheckStop.skip("it has state, of which this check makes no checkpoint")
        }
        let expected = try whole(bench, records)
        let killed = try AsyncRun(bench.plugin, bench, AsyncSettings())
        try killed.process(records, awaits: false)
        let next = try AsyncRun(bench.plugin, bench, AsyncSettings())
        try next.process(records, isAgain: true)
        try next.close()
        try killed.close()
        if let text = Transcript.difference(expected.results, next.results, "result", "") {
            throw CheckStop.fail("given again, \(text)")
        }
        return .pass("\(next.begunCount) calls")
    }
}
