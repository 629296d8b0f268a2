import ApusCore
import ApusMemory
import ApusPluginHost
import ApusState
import CApusCheck

/// Group F: state, time, restarts.
enum StateChecks {
    static let all = [
        restarts, otherParallelism, kills, expiredPointers, valueBounds, MigrationChecks.migrate,
        timers, clockJumps,
    ]

    // MARK: - Restarts

    /// Runs a workload, and at some of its steps goes on with a new instance that has what a
    /// checkpoint would have.
    ///
    /// - Parameters:
    ///   - bench: What the check works with.
    ///   - workload: The input.
    ///   - isKilled: Whether the old instance is left as it is, as in a crash.
    ///   - random: Decides where.
    /// - Returns: What all instances did together.
    /// - Throws: ``CheckStop`` when the plugin breaks the contract.
    private static func restarted(
        _ bench: CheckBench,
        _ workload: Workload,
        _ isKilled: Bool,
        _ random: inout SplitMix64
    ) throws -> Transcript {
        let keys = workload.keys
        var run = try OperatorRun(bench.plugin, bench)
        try run.open()
        var whole = Transcript(outputCount: run.instance.outputs.count)
        var watermark = Int64.min
        var now = Workload.start
        for step in workload.steps {
            try run.take(step) { random.integer(in: 1...max(1, $0)) }
            if case .watermark(let time) = step { watermark = max(watermark, time) }
            if case .clock(let time) = step { now = max(now, time) }
            guard run.transcript.failure == nil, random.integer(in: 0...2) == 0 else {
                continue
            }
            let image = run.takeImage(keys: keys)
            whole.add(run.transcript)
            if isKilled {
                killed.append(run)
            } else {
                try run.close()
            }
            run = try OperatorRun(
                bench.plugin,
                bench,
                image: image,
                watermark: watermark,
                now: now
            )
            guard image.restore(into: run.instance) else {
                throw CheckStop.skip("what it stored cannot be put back by this check")
            }
            try run.open()
            // What an instance says at its beginning is said once more.
            run.forgetOutput()
        }
        _ = run.takeImage(keys: keys)
        if run.transcript.failure == nil { try run.close() }
        whole.add(run.transcript)
        return whole
    }

    /// Instances that were left as they were; they are never destroyed.
    ///
    /// `nonisolated(unsafe)` because a check runs on one thread.
    nonisolated(unsafe) private static var killed: [OperatorRun] = []

    private static func restartChecked(
        _ bench: CheckBench,
        isKilled: Bool
    ) throws -> CheckOutcome {
        try bench.requireSynchronous()
        var note = ""
        for round in 0..<8 {
            var random = bench.numbers(round)
            let workload = Workload(bench, &random, Workload.Shape(recordCount: 200))
            let expected = try bench.baseline(workload)
            let found = try restarted(bench, workload, isKilled, &random)
            try bench.require(found, equals: expected, "started again in between")
            note = DataChecks.summary(of: expected, workload)
        }
        return .pass(note)
    }

    static let restarts = Check(
        id: "F63",
        name: "restart-equals-uninterrupted",
        demand: "An instance that goes on from a checkpoint gives the same as one that was never "
            + "stopped: what must last is in state, not in the instance",
        strictness: 5,
        isRandomised: true
    ) { bench in
        try restartChecked(bench, isKilled: false)
    }

    static let kills = Check(
        id: "F65",
        name: "kill-equals-uninterrupted",
        demand: "The same when the old instance was killed, without close and destroy: nothing may "
            + "be kept for close",
        strictness: 5,
        isRandomised: true
    ) { bench in
        try restartChecked(bench, isKilled: true)
    }

    static let otherParallelism = Check(
        id: "F64",
        name: "other-parallelism",
        demand: "Two instances that go on from the checkpoint of one give the same for each key: "
            + "parallelism may change with every start",
        strictness: 5,
        isRandomised: true
    ) { bench in
        try bench.requireSynchronous()
        let description = bench.description
        guard description.isKeyed else { throw CheckStop.skip("it has no state per key") }
        guard description.operatorStates.isEmpty, description.broadcasts.isEmpty,
            !description.acceptsNullKey
        else { throw CheckStop.skip("it has state that is not per key, which is dealt out anew") }
        for round in 0..<6 {
            var random = bench.numbers(round)
            let workload = Workload(bench, &random, Workload.Shape(recordCount: 200))
            let expected = try bench.baseline(workload).byKey
            let found = try splitInTwo(bench, workload, random.integer(in: 0...5))
            for (key, records) in expected {
                if let text = Transcript.difference(
                    // One that writes under other keys than it reads has no order to keep.
                    records.sorted(),
                    (found[key] ?? []).sorted(),
                    "record",
                    "of key \(OutputRecord.text(key))"
                ) {
                    throw CheckStop.fail("with two instances from the middle on, \(text)")
                }
            }
        }
        return .pass()
    }

    private static func splitInTwo(
        _ bench: CheckBench,
        _ workload: Workload,
        _ first: Int
    ) throws -> [[UInt8]: [String]] {
        let one = try OperatorRun(bench.plugin, bench)
        try one.open()
        var watermark = Int64.min
        var now = Workload.start
        let middle = min(workload.steps.count, max(1, workload.steps.count * first / 5))
        for step in workload.steps[..<middle] {
            try one.take(step)
            if case .watermark(let time) = step { watermark = max(watermark, time) }
            if case .clock(let time) = step { now = max(now, time) }
        }
        let image = one.takeImage(keys: workload.keys)
        var parts = [one.transcript]
        func isFirst(_ key: [UInt8]) -> Bool { KeyHash.of(key) >> 63 == 0 }
        for half in 0..<2 {
            let run = try OperatorRun(bench.plugin, bench, watermark: watermark, now: now)
            guard image.restore(into: run.instance, where: { isFirst($0) == (half == 0) }) else {
                throw CheckStop.skip("what it stored cannot be put back by this check")
            }
            try run.open()
            run.forgetOutput()
            for step in workload.steps[middle...] {
                guard case .records(let input, let records) = step else {
                    try run.take(step)
                    continue
                }
                let own = records.filter { $0.key.map { isFirst($0) == (half == 0) } ?? false }
                if !own.isEmpty { try run.process(own[...], input: input) }
            }
            parts.append(run.transcript)
        }
        return parts.reduce(into: [:]) { whole, part in
            whole.merge(part.byKey) { $0 + $1 }
        }
    }

    // MARK: - Pointers into state

    private static func expiring(_ bench: CheckBench) -> LoadedPlugin {
        bench.layered { $0.expires_state = 1 }
    }

    private static func requireState(_ bench: CheckBench) throws {
        let description = bench.description
        guard
            !description.states.isEmpty || !description.broadcasts.isEmpty
                || !description.operatorStates.isEmpty
        else { throw CheckStop.skip("it declares no state") }
    }

    static let expiredPointers = Check(
        id: "F66",
        name: "expired-pointers",
        demand: "Bytes of state are not used after the callback, or after the same state was "
            + "written: they move",
        strictness: 5,
        isRandomised: true
    ) { bench in
        try requireState(bench)
        try bench.requireSynchronous()
        let plugin = expiring(bench)
        for round in 0..<8 {
            bench.note("round \(round), with bytes of state that end when they expire")
            var random = bench.numbers(round)
            let workload = Workload(bench, &random)
            // Also when runs cannot be compared: bytes of past callbacks cannot even be read.
            let found = try bench.run(plugin, workload)
            try bench.require(
                found,
                equals: try bench.baseline(workload),
                "with state that is overwritten when it expires"
            )
        }
        return .pass()
    }

    static let valueBounds = Check(
        id: "F67",
        name: "writes-within-values",
        demand: "Through value_mut no more is written than the value's fixed length: behind it lie "
            + "other states",
        strictness: 3,
        isRandomised: true
    ) { bench in
        try requireState(bench)
        let plugin = expiring(bench)
        for round in 0..<6 {
            var random = bench.numbers(round)
            _ = try bench.run(plugin, Workload(bench, &random))
            try bench.requireNone("s")
        }
        return .pass()
    }

    // MARK: - Time

    static let timers = Check(
        id: "F74",
        name: "crowded-timers",
        demand: "Many timers at the same time, in the past and at the end of time, fire without "
            + "harm, in batches of any size",
        strictness: 5,
        isRandomised: true,
        timeoutSeconds: 60
    ) { bench in
        try bench.requireSynchronous()
        guard !bench.description.timers.isEmpty else {
            throw CheckStop.skip("it declares no timers")
        }
        for round in 0..<4 {
            var random = bench.numbers(round)
            var workload = Workload(bench, &random, Workload.Shape(recordCount: 400))
            // Everything at once: all records have one time, and the watermark has passed it.
            let isPast = round % 2 == 0
            workload.steps = workload.steps.compactMap { step in
                switch step {
                case .records(let input, let records):
                    .records(
                        input: input,
                        records.map {
                            InputRecord(key: $0.key, value: $0.value, time: Workload.start)
                        }
                    )
                case .watermark: isPast ? .watermark(Workload.start + 3_600_000_000) : nil
                case .broadcast, .clock: step
                }
            }
            workload.steps.append(.watermark(.max))
            let first = try bench.run(bench.plugin, workload)
            guard first.failure == nil else {
                throw CheckStop.skip("it failed on generated input: \(first.failure ?? "")")
            }
        }
        return .pass()
    }

    static let clockJumps = Check(
        id: "F75",
        name: "clock-jumps",
        demand: "Processing time that jumps by a year, and event time that stands still meanwhile, "
            + "do no harm",
        strictness: 5,
        isRandomised: true
    ) { bench in
        try bench.requireSynchronous()
        for round in 0..<4 {
            var random = bench.numbers(round)
            var workload = Workload(bench, &random)
            let year: Int64 = 31_536_000_000_000
            let steps = workload.steps
            workload.steps = []
            for (index, step) in steps.enumerated() {
                if case .watermark = step, index % 2 == 0 { continue }
                workload.steps.append(step)
                if index % 5 == 0 {
                    workload.steps.append(.clock(Workload.start + Int64(index) * year / 5))
                }
            }
            workload.steps.append(.watermark(.max))
            _ = try bench.run(bench.plugin, workload)
        }
        return .pass()
    }
}

extension Transcript {
    /// Adds what the next instance did.
    mutating func add(_ next: Transcript) {
        for port in outputs.indices { outputs[port] += next.outputs[port] }
        rejected += next.rejected
        hasOverdueTimers = hasOverdueTimers || next.hasOverdueTimers
        failure = next.failure
        image = next.image
    }

    /// What was written under each key, in order, with the output's number.
    var byKey: [[UInt8]: [String]] {
        var found: [[UInt8]: [String]] = [:]
        for (port, records) in outputs.enumerated() {
            for record in records {
                guard let key = record.key else { continue }
                found[key, default: []].append("output \(port): \(record.text)")
            }
        }
        return found
    }
}
