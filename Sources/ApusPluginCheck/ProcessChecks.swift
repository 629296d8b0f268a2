import ApusCore
import ApusPluginHost
import ApusState
import CApusCheck

/// Groups G and H: who calls what, and what a plugin does to the process that it shares.
enum ProcessChecks {
    static let all = [
        threadTags, blocking, forbidden, printing, allocations, stack, growth,
    ]

    private static let roundCount = 4

    /// Runs some workloads with a layer.
    private static func exercise(
        _ bench: CheckBench,
        _ change: (inout apus_check_rules) -> Void = { _ in }
    ) throws {
        let plugin = bench.layered(change)
        for round in 0..<roundCount {
            var random = bench.numbers(round)
            let shape = Workload.Shape(recordCount: 200, hasTimeless: true)
            _ = try bench.run(plugin, Workload(bench, &random, shape))
        }
    }

    static let threadTags = Check(
        id: "G77",
        name: "thread-tags",
        demand: "Functions that are [op] are called by the thread of the callback, during it, with "
            + "its context: nothing in them is made for others",
        strictness: 3,
        isRandomised: true
    ) { bench in
        try exercise(bench)
        try bench.requireNone("t")
        return .pass("\(apus_check_count().host_calls) calls")
    }

    static let blocking = Check(
        id: "H84",
        name: "does-not-block",
        demand: "Callbacks do not sleep, connect, poll or write through to disk: they hold up "
            + "every operator of their thread",
        strictness: 5,
        isRandomised: true,
        hooks: APUS_CHECK_HOOK_BLOCKING
    ) { bench in
        try exercise(bench)
        let found = bench.violations("b")
        return found.isEmpty ? .pass() : .warn(found.prefix(4).joined(separator: "; "))
    }

    static let forbidden = Check(
        id: "H85",
        name: "leaves-the-process-alone",
        demand: "No fork, exec, exit, signal, setenv, chdir, setlocale, dlopen and their like, and "
            + "nothing of that has changed: all plugins share one process",
        strictness: 3,
        isRandomised: true,
        hooks: APUS_CHECK_HOOK_PROCESS
    ) { bench in
        let before = bench.processLines(APUS_CHECK_SETTINGS)
        try exercise(bench)
        try bench.requireNone("p")
        if let change = bench.processChange(APUS_CHECK_SETTINGS, since: before) {
            throw CheckStop.fail("it has changed what all share: \(change)")
        }
        return .pass()
    }

    static let printing = Check(
        id: "H86",
        name: "prints-nothing",
        demand: "Nothing goes to standard output, which may be a job's sink; there is host->log",
        strictness: 5,
        isRandomised: true,
        hooks: APUS_CHECK_HOOK_PRINTING
    ) { bench in
        try exercise(bench)
        try bench.requireNone("q")
        if let text = bench.divertedOutput {
            throw CheckStop.fail("it printed \(text); use host->log")
        }
        return .pass()
    }

    static let allocations = Check(
        id: "H87",
        name: "allocations-per-record",
        demand: "How often it allocates memory for a record; a report",
        strictness: 5,
        isRandomised: true,
        hooks: APUS_CHECK_HOOK_ALLOCATION
    ) { bench in
        let plugin = bench.layered { _ in }
        var random = bench.numbers()
        let workload = Workload(bench, &random, Workload.Shape(recordCount: 2_000))
        _ = try bench.run(plugin, workload)
        let before = apus_check_count()
        _ = try bench.run(plugin, workload)
        let after = apus_check_count()
        let count = after.allocations - before.allocations
        let bytes = after.allocated_bytes - before.allocated_bytes
        return .pass(
            "\(DecimalText.of(Double(count) / 2_000)) allocations and "
                + "\(DecimalText.of(Double(bytes) / 2_000)) bytes per record"
        )
    }

    static let stack = Check(
        id: "H88",
        name: "stack-depth",
        demand: "A callback uses less than 256 KiB of stack; threads of the host have 8 MiB, for "
            + "all operators of a chain",
        strictness: 5,
        isRandomised: true
    ) { bench in
        try exercise(bench) { $0.paints_stack = 1 }
        let depth = apus_check_count().stack_bytes
        guard depth <= 256 << 10 else {
            throw CheckStop.fail(
                "a callback used \(depth >> 10) KiB of stack; put large things on the heap"
            )
        }
        return .pass("\(depth) bytes")
    }

    static let growth = Check(
        id: "H89",
        name: "memory-on-constant-keys",
        demand: "With the same keys over and over memory does not grow: what grows with the "
            + "records will fill any machine",
        strictness: 5,
        isRandomised: true,
        timeoutSeconds: 60,
        hooks: APUS_CHECK_HOOK_ALLOCATION
    ) { bench in
        var random = bench.numbers()
        let records = Workload(
            bench,
            &random,
            Workload.Shape(recordCount: 2_000, keyCount: 8, recordsPerWatermark: 500)
        ).records
        let run = try OperatorRun(bench.plugin, bench)
        try run.open()
        var time = Workload.start
        /// Gives all records, later by an hour each time, and lets everything fire.
        func pass() throws {
            let later = time - Workload.start
            let moved = records.map {
                InputRecord(key: $0.key, value: $0.value, time: $0.time &+ later)
            }
            for first in stride(from: 0, to: moved.count, by: 500) {
                try run.process(moved[first..<min(first + 500, moved.count)])
            }
            time += 7_200_000_000
            try run.advanceClock(to: time)
            try run.advance(to: time)
            run.forgetOutput()
        }
        for _ in 0..<4 { try pass() }
        let before = heap(run)
        let stateBefore = run.instance.state?.byteCount ?? 0
        let rounds = 12
        for _ in 0..<rounds { try pass() }
        guard run.transcript.failure == nil else {
            throw CheckStop.skip("it failed on generated input: \(run.transcript.failure ?? "")")
        }
        let stateGrowth = (run.instance.state?.byteCount ?? 0) - stateBefore
        if stateGrowth > rounds * records.count {
            return .warn(
                "its state and timers grow by \(stateGrowth / (rounds * records.count)) bytes per "
                    + "record, with 8 keys"
            )
        }
        let growth = Double(heap(run) - before) / Double(rounds * records.count)
        let text =
            "\(DecimalText.of(growth)) bytes per record, beside what its state holds"
        // The host's own memory for state comes in blocks.
        guard growth < 16 else {
            throw CheckStop.fail("memory grows by \(text); free what a record needed")
        }
        return .pass(text)
    }

    /// Bytes that are allocated, without those that the host holds for state.
    private static func heap(_ run: OperatorRun) -> Int {
        Int(apus_check_heap_bytes()) - (run.instance.state?.byteCount ?? 0)
    }
}

/// Numbers with two digits behind the point.
enum DecimalText {
    static func of(_ value: Double) -> String {
        let hundredths = Int((value * 100).rounded())
        let digits = abs(hundredths % 100)
        return "\(hundredths < 0 ? "-" : "")\(abs(hundredths / 100)).\(digits < 10 ? "0" : "")"
            + "\(digits)"
    }
}
