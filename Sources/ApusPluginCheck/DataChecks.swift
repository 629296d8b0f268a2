import ApusCore
import ApusIO
import ApusPluginHost
import CApusCheck
import CApusPlugin

/// Group E: records in, records out.
enum DataChecks {
    static let all = [
        batchSizes, splits, determinism, lengths, readsBehind, writesInput, writesBehind, limits,
        stops, randomBytes, laterHost, earlierHost, promises, rounding,
    ]

    static let batchSizes = Check(
        id: "E47",
        name: "batch-sizes",
        demand: "Batches of 1, 2, 255, 1,024 and 65,536 records are handled, with results that the "
            + "ABI knows",
        strictness: 3,
        isRandomised: true,
        timeoutSeconds: 60
    ) { bench in
        var lastDuration: Int64 = 0
        for size in [1, 2, 255, 1_024, 65_536] {
            bench.note("batches of \(size)")
            // Records that are refused take longer the larger their batch is.
            guard size < 65_536 || lastDuration * 400 < 30_000_000_000 else {
                return .pass("batches of 65,536 would take too long, as many records are refused")
            }
            let start = bench.clock.monotonicNanoseconds()
            var random = bench.numbers(size)
            let shape = Workload.Shape(
                recordCount: min(size * 3, 65_536 + 100),
                keyCount: 500,
                recordsPerWatermark: size
            )
            // One batch of each size, and what is left.
            var workload = Workload(bench, &random, shape)
            workload.steps = workload.steps.filter {
                if case .records = $0 { false } else { true }
            }
            let records = Workload(bench, &random, shape).records
            workload.steps.insert(.records(input: 0, records), at: 0)
            _ = try bench.run(bench.plugin, workload) { _ in size }
            lastDuration = bench.clock.monotonicNanoseconds() - start
        }
        return .pass()
    }

    static let splits = Check(
        id: "E48",
        name: "batch-split-invariance",
        demand: "The same records cut into other batches give the same output, state and timers: "
            + "where a batch ends is chance",
        strictness: 5,
        isRandomised: true,
        timeoutSeconds: 60
    ) { bench in
        try bench.requireSynchronous()
        var note = ""
        var refusedCount = 0
        var recordCount = 0
        for round in 0..<8 {
            var random = bench.numbers(round)
            let workload = Workload(bench, &random)
            let whole = try bench.baseline(workload)
            let single = try bench.run(bench.plugin, workload) { _ in 1 }
            try bench.require(single, equals: whole, "in batches of one record")
            let cut = try bench.run(bench.plugin, workload) {
                random.integer(in: 1...max(1, $0))
            }
            try bench.require(cut, equals: whole, "cut at random")
            note = summary(of: whole, workload)
            refusedCount += whole.rejected.count
            recordCount += workload.records.count
        }
        guard refusedCount < recordCount else {
            return .warn(
                "it refused all \(recordCount) generated records, so that little was found out; "
                    + "give real ones with --sample"
            )
        }
        return .pass(note)
    }

    /// How much a workload made the plugin do, so that nobody takes nothing for success.
    static func summary(of transcript: Transcript, _ workload: Workload) -> String {
        let count = workload.records.count
        return "of \(count) records \(transcript.rejected.count) were bad, "
            + "\(transcript.outputCount) written, \(transcript.image.entries.count) states, "
            + "\(transcript.image.timers.count) timers at the end"
    }

    static let determinism = Check(
        id: "E49",
        name: "determinism",
        demand: "Two runs over the same input give the same: a job that goes on from a checkpoint "
            + "does part of its work again",
        strictness: 5,
        isRandomised: true
    ) { bench in
        try bench.requireSynchronous()
        let promises = bench.description.promises.contains(.deterministic)
        for round in 0..<4 {
            var random = bench.numbers(round)
            let workload = Workload(bench, &random)
            let first = try bench.run(bench.plugin, workload)
            let second = try bench.run(bench.plugin, workload)
            guard let text = second.difference(from: first, names: bench.outputs) else { continue }
            if promises {
                throw CheckStop.fail("it says APUS_DETERMINISTIC, but the second time \(text)")
            }
            return .warn("the second time \(text)")
        }
        return .pass(promises ? "" : "it could say APUS_DETERMINISTIC")
    }

    static let lengths = Check(
        id: "E50",
        name: "lengths-and-times",
        demand: "Keys and values of 0, 1, 12, 13, 4,096 and 16,777,216 bytes, records without key, "
            + "value or time, and the first and last times there are, are handled",
        strictness: 5,
        isRandomised: true,
        timeoutSeconds: 60
    ) { bench in
        var random = bench.numbers()
        for byteCount in [0, 1, 12, 13, 4_096, 16 << 20] {
            bench.note("\(byteCount) bytes")
            let value = [UInt8](repeating: 120, count: byteCount)
            var records = [InputRecord(key: Array("k".utf8), value: value, time: Workload.start)]
            if byteCount <= 4_096 || bench.component.isKeyed {
                records.append(InputRecord(key: value, value: [], time: Workload.start))
            }
            try feed(bench, records)
        }
        let key: [UInt8]? = Array("k".utf8)
        var odd = [Int64.min, .min + 1, -1, 0, 1, .max - 1, .max].map {
            InputRecord(key: key, value: Workload.value(bench, .mixed, &random), time: $0)
        }
        odd.append(InputRecord(key: key, value: nil, time: Workload.start))
        if !bench.component.isKeyed || bench.component.acceptsNullKey {
            odd.append(InputRecord(key: nil, value: Array("1".utf8), time: Workload.start))
            odd.append(InputRecord(key: nil, value: nil, time: .min))
        }
        for record in odd {
            bench.note("time \(record.time), value \(OutputRecord.text(record.value))")
            try feed(bench, [record])
        }
        return .pass()
    }

    private static func feed(_ bench: CheckBench, _ records: [InputRecord]) throws {
        let run = try OperatorRun(bench.plugin, bench)
        try run.open()
        try run.process(records[...])
        try run.advance(to: Workload.start + 1)
        try run.advance(to: .max)
        if run.transcript.failure == nil { try run.close() }
    }

    // MARK: - Memory

    /// Runs with a layer that watches over memory: doing wrong there is a crash, or a violation.
    private static func watched(
        _ bench: CheckBench,
        _ kinds: String,
        _ change: (inout apus_check_rules) -> Void
    ) throws -> CheckOutcome {
        let plugin = bench.layered(change)
        for round in 0..<6 {
            var random = bench.numbers(round)
            // Small batches, so that each payload can end where its page ends.
            let workload = Workload(bench, &random, Workload.Shape(recordsPerWatermark: 20))
            bench.note("round \(round)")
            _ = try bench.run(plugin, workload)
        }
        try bench.requireNone(kinds)
        return .pass()
    }

    static let readsBehind = Check(
        id: "E52",
        name: "reads-within-payloads",
        demand: "Nothing is read behind the end of a key, a value or a column: what lies there is "
            + "somebody else's, or nothing",
        strictness: 3,
        isRandomised: true
    ) { bench in
        try watched(bench, "") { $0.guards_input = 1 }
    }

    static let writesInput = Check(
        id: "E53",
        name: "input-is-read-only",
        demand: "Input is not written to: other operators have the same bytes in hand",
        strictness: 3,
        isRandomised: true
    ) { bench in
        try watched(bench, "c") { $0.seals_input = 1 }
    }

    static let writesBehind = Check(
        id: "E54",
        name: "writes-within-builders",
        demand: "Output stays within the builder's columns and arena, and views refer to bytes "
            + "that are there",
        strictness: 3,
        isRandomised: true
    ) { bench in
        try watched(bench, "o") {
            $0.guards_output = 1
            $0.record_capacity = 3
            $0.arena_capacity = 64
        }
    }

    // MARK: - Interruptions

    static let limits = Check(
        id: "E55",
        name: "resumes-after-limit",
        demand: "When a builder is full at any point, the operator yields at the record in hand "
            + "and goes on there, with the same results in the end",
        strictness: 5,
        isRandomised: true,
        timeoutSeconds: 60
    ) { bench in
        try bench.requireSynchronous()
        var random = bench.numbers()
        let workload = Workload(bench, &random, Workload.Shape(recordCount: 120))
        let expected = try bench.baseline(workload)
        let calm = bench.layered { $0.record_capacity = 2 }
        let before = apus_check_count().more_calls
        let unlimited = try bench.run(calm, workload)
        try bench.require(unlimited, equals: expected, "with builders of 2 records")
        let count = min(apus_check_count().more_calls - before, 40)
        for number in 0..<max(1, count) {
            bench.note("call \(number + 1) of more() gives APUS_LIMIT")
            let plugin = bench.layered {
                $0.record_capacity = 2
                $0.limit_at = UInt32(number + 1)
            }
            try bench.require(
                try bench.run(plugin, workload),
                equals: expected,
                "call \(number + 1) of more() gave APUS_LIMIT"
            )
        }
        for round in 0..<20 {
            let plugin = bench.layered {
                $0.record_capacity = 1 + UInt32(round % 3)
                $0.limit_seed = bench.settings.seed &+ UInt64(round) | 1
            }
            try bench.require(
                try bench.run(plugin, workload),
                equals: expected,
                "more() gave APUS_LIMIT at random"
            )
        }
        return .pass("\(apus_check_count().limits) times")
    }

    static let stops = Check(
        id: "E56",
        name: "stops-when-asked",
        demand: "When `stop` is raised at any time, nothing is lost and nothing done twice: the "
            + "operator is called again",
        strictness: 5,
        isRandomised: true
    ) { bench in
        try bench.requireSynchronous()
        for round in 0..<10 {
            var random = bench.numbers(round)
            let workload = Workload(bench, &random, Workload.Shape(recordCount: 120))
            let expected = try bench.baseline(workload)
            let plugin = bench.layered {
                $0.stop_seed = bench.settings.seed &+ UInt64(round) | 1
            }
            try bench.require(
                try bench.run(plugin, workload),
                equals: expected,
                "stop was raised at random"
            )
        }
        return .pass("\(apus_check_count().stops) times")
    }

    // MARK: - Content

    static let randomBytes = Check(
        id: "E57",
        name: "random-values",
        demand: "Values of random bytes are handled or refused one by one: a bad record must not "
            + "end the job",
        strictness: 5,
        isRandomised: true,
        timeoutSeconds: 60
    ) { bench in
        let plugin = bench.layered { $0.guards_input = 1 }
        var refused = 0
        var count = 0
        for round in 0..<12 {
            var random = bench.numbers(round)
            let shape = Workload.Shape(values: .random, recordsPerWatermark: 20, hasTimeless: true)
            let transcript = try bench.run(plugin, Workload(bench, &random, shape))
            refused += transcript.rejected.count
            count += shape.recordCount
            if let failure = transcript.failure {
                return .warn(
                    "the job would fail because of one bad record (\(failure)); return APUS_RECORD"
                )
            }
        }
        return .pass("\(refused) of \(count) were refused")
    }

    private static func compared(
        _ bench: CheckBench,
        _ when: String,
        _ change: (inout apus_check_rules) -> Void
    ) throws -> CheckOutcome {
        try bench.requireSynchronous()
        let plugin = bench.layered(change)
        for round in 0..<4 {
            var random = bench.numbers(round)
            let workload = Workload(bench, &random)
            let expected = try bench.baseline(workload)
            try bench.require(try bench.run(plugin, workload), equals: expected, when)
        }
        return .pass()
    }

    static let laterHost = Check(
        id: "E59",
        name: "structs-of-later-hosts",
        demand: "Structs that are larger than those of this version are used as far as they are "
            + "known: so it runs on later hosts",
        strictness: 5,
        isRandomised: true
    ) { bench in
        try compared(bench, "with structs of a later host") {
            $0.struct_change = APUS_CHECK_BIGGER
        }
    }

    static let earlierHost = Check(
        id: "E60",
        name: "structs-of-earlier-hosts",
        demand: "What the oldest host does not have that the plugin says it runs on is not touched "
            + "without asking APUS_HAS",
        strictness: 5,
        isRandomised: true
    ) { bench in
        let floor = bench.plugin.description.abiFloor
        guard floor < 3 else {
            throw CheckStop.skip("it says that it needs ABI 0.\(floor), which is this host's")
        }
        let description = bench.description
        guard floor > 1 || (description.broadcasts.isEmpty && description.operatorStates.isEmpty)
        else {
            throw CheckStop.fail(
                "it says that it runs on ABI 0.\(floor), but declares state that ABI 0.2 brought; "
                    + "set abi_minor_floor to 2"
            )
        }
        return try compared(bench, "with structs of ABI 0.\(floor)") {
            $0.struct_change = APUS_CHECK_SMALLER
        }
    }

    static let rounding = Check(
        id: "E62",
        name: "rounding-mode",
        demand: "Results do not depend on the rounding mode of the thread, which others may have "
            + "changed",
        strictness: 6,
        isRandomised: true
    ) { bench in
        try bench.requireSynchronous()
        var random = bench.numbers()
        let workload = Workload(bench, &random)
        let expected = try bench.baseline(workload)
        apus_check_round_upwards(1)
        defer { apus_check_round_upwards(0) }
        let transcript = try bench.run(bench.plugin, workload)
        guard let text = transcript.difference(from: expected, names: bench.outputs) else {
            return .pass()
        }
        return .warn("with numbers rounded upwards \(text)")
    }
}
