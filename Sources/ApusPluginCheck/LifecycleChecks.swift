import ApusCore
import ApusPluginHost
import CApusCheck
import CApusPlugin
import Synchronization

/// Group D: create, open, close, destroy.
enum LifecycleChecks {
    static let all = [
        createMany, configurations, destroyUnopened, openFailing, closeUnused, twoInstances,
        otherThreads, extensions, errors, threadsJoined, descriptors, allocations,
    ]

    /// The configuration that the component takes, or a reason to skip.
    static func creation(
        _ bench: CheckBench,
        _ configuration: [UInt8]? = nil
    ) -> apus_check_creation {
        var creation = apus_check_creation()
        let bytes = configuration ?? Array(bench.configuration.utf8)
        apus_check_create(bench.table, bytes, UInt64(bytes.count), &creation)
        return creation
    }

    static func message(of creation: apus_check_creation) -> [UInt8] {
        withUnsafeBytes(of: creation.message) { Array($0.prefix(Int(creation.message_len))) }
    }

    static func requireCreation(_ bench: CheckBench) throws -> UnsafeMutableRawPointer? {
        let creation = creation(bench)
        guard creation.code == APUS_OK else {
            throw CheckStop.skip(
                "create refuses \(bench.configuration): "
                    + String(decoding: message(of: creation), as: UTF8.self)
                    + "; give it what it needs with --config"
            )
        }
        return creation.`self`
    }

    // MARK: - Leaks

    static let createMany = Check(
        id: "D35",
        name: "create-destroy-leaks-nothing",
        demand: "After thousands of times create and destroy, memory, files and threads are as "
            + "before: a job makes instances anew whenever it starts or swaps a plugin",
        strictness: 5,
        subject: .allComponents
    ) { bench in
        apus_check_destroy(bench.table, try requireCreation(bench))
        for _ in 0..<200 { apus_check_destroy(bench.table, creation(bench).`self`) }
        let lines = bench.processLines(APUS_CHECK_DESCRIPTORS | APUS_CHECK_THREADS)
        let heap = apus_check_heap_bytes()
        let resident = apus_check_resident_bytes()
        let rounds = 2_000
        for _ in 0..<rounds { apus_check_destroy(bench.table, creation(bench).`self`) }
        let heapGrowth = Int64(bitPattern: apus_check_heap_bytes() &- heap)
        let growth = Int64(bitPattern: apus_check_resident_bytes() &- resident)
        if heapGrowth >= Int64(rounds) || growth > 8 << 20 {
            throw CheckStop.fail(
                "\(rounds) times create and destroy have left \(max(heapGrowth, growth)) bytes, "
                    + "\(max(heapGrowth, growth) / Int64(rounds)) each time; free in destroy what "
                    + "create allocates"
            )
        }
        if let change = bench.processChange(
            APUS_CHECK_DESCRIPTORS | APUS_CHECK_THREADS,
            since: lines
        ) {
            throw CheckStop.fail("\(rounds) times create and destroy have changed: \(change)")
        }
        return .pass("\(rounds) times")
    }

    // MARK: - Configurations

    /// Configurations that no component needs to accept, and every one must survive.
    static func oddConfigurations(_ bench: CheckBench) -> [(name: String, bytes: [UInt8])] {
        let nested = String(repeating: "[", count: 50_000)
        let text = String(repeating: "x", count: 10 << 20)
        return [
            ("nothing at all", []), ("{}", Array("{}".utf8)), ("null", Array("null".utf8)),
            ("a list", Array("[1,2]".utf8)), ("a number", Array("-1e400".utf8)),
            ("a text", Array("\"x\"".utf8)), ("an unknown key", Array(#"{"no-such-key":1}"#.utf8)),
            ("a broken object", Array(#"{"a":"#.utf8)), ("a lone quote", [34]),
            ("a zero byte", Array("{\"a\":\"".utf8) + [0] + Array("\"}".utf8)),
            ("bytes that are not UTF-8", Array("{\"a\":\"".utf8) + [0xff, 34, 125]),
            ("50,000 open brackets", Array(nested.utf8)),
            ("a text of 10 MiB", Array("{\"a\":\"\(text)\"}".utf8)),
            (
                "its configuration, cut in half",
                Array(
                    bench.configuration.utf8.prefix(
                        bench.configuration.utf8.count / 2
                    )
                )
            ),
            (
                "its configuration, numbers as texts",
                Array(
                    bench.configuration.map { $0.isNumber ? "\"n\"" : String($0) }.joined().utf8
                )
            ),
        ]
    }

    static let configurations = Check(
        id: "D36",
        name: "odd-configurations",
        demand: "Whatever the configuration is, create succeeds or says in words what it expected: "
            + "people make mistakes in job files",
        strictness: 5,
        timeoutSeconds: 60,
        subject: .allComponents
    ) { bench in
        for (name, bytes) in oddConfigurations(bench) {
            bench.note("create with \(name)")
            let creation = creation(bench, bytes)
            if creation.code == APUS_OK {
                apus_check_destroy(bench.table, creation.`self`)
                continue
            }
            guard creation.code < 0, creation.code != APUS_EXCEPTION else {
                throw CheckStop.fail(
                    creation.code == APUS_EXCEPTION
                        ? "with \(name) create threw an exception"
                        : "with \(name) create returned \(creation.code), which is no result of "
                            + "create"
                )
            }
            let text = message(of: creation)
            guard !text.isEmpty else {
                throw CheckStop.fail(
                    "with \(name) create returned \(creation.code) and no message; use apus_fail"
                )
            }
        }
        return .pass()
    }

    static let errors = Check(
        id: "D44",
        name: "errors-filled-in",
        demand: "An error is untouched on success, and on failure has the code that is returned "
            + "and a message in UTF-8: it is all that people will see",
        strictness: 5,
        subject: .allComponents
    ) { bench in
        _ = creation(bench).`self`.map { apus_check_destroy(bench.table, $0) }
        for (name, bytes) in oddConfigurations(bench) {
            bench.note("create with \(name)")
            let creation = creation(bench, bytes)
            if creation.code == APUS_OK { apus_check_destroy(bench.table, creation.`self`) }
            let text = message(of: creation)
            // What it quotes of a configuration is as that is.
            guard String(validating: bytes, as: UTF8.self) != nil else { continue }
            guard String(validating: text, as: UTF8.self) != nil else {
                throw CheckStop.fail("with \(name) create gave a message that is not UTF-8")
            }
        }
        try bench.requireNone("e")
        return .pass()
    }

    // MARK: - Orders of calls

    static let destroyUnopened = Check(
        id: "D37",
        name: "destroy-without-open",
        demand: "An instance can be destroyed that was never opened: so it goes when another one "
            + "of the job cannot be created",
        strictness: 5,
        subject: .allComponents
    ) { bench in
        apus_check_destroy(bench.table, try requireCreation(bench))
        if bench.description.kind == .operator { _ = try OperatorRun(bench.plugin, bench) }
        return .pass()
    }

    static let openFailing = Check(
        id: "D38",
        name: "open-without-memory",
        demand: "When open finds no memory it says so, and the instance can be destroyed",
        strictness: 7,
        hooks: APUS_CHECK_HOOK_ALLOCATION
    ) { bench in
        let run = try OperatorRun(bench.layered { _ in }, bench)
        apus_check_fail_allocation(1, 1)
        defer { apus_check_fail_allocation(0, 0) }
        do {
            try run.open()
        } catch CheckStop.skip {
            return .pass("open failed as it should")
        }
        return .pass("open allocates nothing, or does without")
    }

    static let closeUnused = Check(
        id: "D39",
        name: "close-without-records",
        demand: "An instance can be closed that never had a record: an input may be empty",
        strictness: 5
    ) { bench in
        let run = try OperatorRun(bench.plugin, bench)
        try run.open()
        try run.advance(to: .max)
        try run.close()
        return .pass()
    }

    static let twoInstances = Check(
        id: "D41",
        name: "two-instances",
        demand: "Two instances do the same side by side as alone, on one thread and on two: a job "
            + "has one per subtask in the same process",
        strictness: 5,
        isRandomised: true
    ) { bench in
        try bench.requireSynchronous()
        var random = bench.numbers()
        let workload = Workload(bench, &random)
        let alone = try bench.baseline(workload)
        let runs = [try OperatorRun(bench.plugin, bench), try OperatorRun(bench.plugin, bench)]
        for run in runs { try run.open() }
        for step in workload.steps { for run in runs { try run.take(step) } }
        for run in runs {
            _ = run.takeImage(keys: workload.keys)
            try run.close()
            try bench.require(run.transcript, equals: alone, "interleaved on one thread")
        }
        for transcript in try onTwoThreads(bench, workload) {
            try bench.require(transcript, equals: alone, "on two threads at once")
        }
        return .pass()
    }

    /// What two instances do with a workload, each on a thread of its own, at the same time.
    ///
    /// Created and destroyed here: the host never makes two of those calls at once for a plugin.
    private static func onTwoThreads(
        _ bench: CheckBench,
        _ workload: Workload
    ) throws -> [Transcript] {
        let runs = [try OperatorRun(bench.plugin, bench), try OperatorRun(bench.plugin, bench)]
        let results = Mutex<[Result<Transcript, any Error>]>([])
        let threads = runs.enumerated().map { number, run in
            let shared = Unchecked((bench, run))
            return bench.threads.start(name: "instance-\(number)") {
                let (bench, run) = shared.value
                let result = Result { try bench.go(through: workload, run) }
                results.withLock { $0.append(result) }
            }
        }
        for thread in threads { thread.join() }
        return try withExtendedLifetime(runs) {
            try results.withLock { try $0.map { try $0.get() } }
        }
    }

    static let otherThreads = Check(
        id: "D42",
        name: "changing-threads",
        demand: "An instance may be called on another thread each time: what is its own must not "
            + "be in thread-local variables",
        strictness: 5,
        isRandomised: true
    ) { bench in
        try bench.requireSynchronous()
        var random = bench.numbers()
        let workload = Workload(bench, &random, Workload.Shape(recordCount: 120))
        let alone = try bench.baseline(workload)
        let run = Unchecked(try OperatorRun(bench.plugin, bench))
        try elsewhere(bench) { try run.value.open() }
        for step in workload.steps { try elsewhere(bench) { try run.value.take(step) } }
        _ = run.value.takeImage(keys: workload.keys)
        try elsewhere(bench) { try run.value.close() }
        try bench.require(run.value.transcript, equals: alone, "with a thread for each call")
        return .pass()
    }

    /// Runs something on a new thread and waits for its end.
    static func elsewhere(_ bench: CheckBench, _ body: @escaping () throws -> Void) throws {
        let result = Mutex<Result<Void, any Error>>(.success(()))
        let shared = Unchecked(body)
        bench.threads.start(name: "elsewhere") {
            let end = Result { try shared.value() }
            result.withLock { $0 = end }
        }.join()
        try result.withLock { $0 }.get()
    }

    static let extensions = Check(
        id: "D43",
        name: "unknown-extensions",
        demand: "get_extension gives NULL for a name it does not know, at any time: later hosts "
            + "will ask for more",
        strictness: 5,
        subject: .allComponents
    ) { bench in
        let table = bench.table
        // SAFETY: the size says whether the field is there.
        guard let offset = MemoryLayout<apus_component>.offset(of: \.get_extension),
            Int(table.pointee.size) >= offset + 8, let ask = table.pointee.get_extension
        else { return .pass("it has no get_extension") }
        func check(_ when: String) throws {
            for name in ["apus.no-such-thing/1", "", "apus.snapshot/1x", "apus.snapshot/99", "/"] {
                guard ask(name) == nil else {
                    throw CheckStop.fail("get_extension(\"\(name)\") is not NULL \(when)")
                }
            }
        }
        try check("before create")
        let object = try requireCreation(bench)
        try check("after create")
        apus_check_destroy(table, object)
        try check("after destroy")
        return .pass()
    }

    static let threadsJoined = Check(
        id: "D45",
        name: "threads-joined",
        demand: "Threads and files of an instance are gone when it is destroyed: or they go on "
            + "with memory that is not theirs any more",
        strictness: 5,
        isRandomised: true
    ) { bench in
        var random = bench.numbers()
        let workload = Workload(bench, &random, Workload.Shape(recordCount: 60))
        _ = try bench.run(bench.plugin, workload)
        let before = bench.processLines(APUS_CHECK_THREADS | APUS_CHECK_DESCRIPTORS)
        _ = try bench.run(bench.plugin, workload)
        if let change = bench.processChange(
            APUS_CHECK_THREADS | APUS_CHECK_DESCRIPTORS,
            since: before
        ) {
            throw CheckStop.fail("after close and destroy: \(change); join and close what you open")
        }
        return .pass()
    }

    // MARK: - Without resources

    static let descriptors = Check(
        id: "D46",
        name: "few-descriptors",
        demand: "When there are no more file descriptors, create and open fail with words",
        strictness: 5,
        subject: .allComponents
    ) { bench in
        let used = bench.processLines(APUS_CHECK_DESCRIPTORS).count
        // Those of this process stay usable; there is none left for the plugin.
        guard apus_check_limit_descriptors(3) == 0 else {
            throw CheckStop.skip("the limit of open files cannot be changed here")
        }
        let creation = creation(bench)
        guard creation.code == APUS_OK || creation.message_len > 0 else {
            throw CheckStop.fail(
                "create returned \(creation.code) and no message, with \(used) files open and no "
                    + "more to be had"
            )
        }
        if creation.code == APUS_OK { apus_check_destroy(bench.table, creation.`self`) }
        return .pass()
    }

    static let allocations = Check(
        id: "D46m",
        name: "failing-allocations",
        demand: "When any one allocation fails, the plugin returns an error and does not crash",
        strictness: 7,
        isRandomised: true,
        timeoutSeconds: 60,
        hooks: APUS_CHECK_HOOK_ALLOCATION
    ) { bench in
        try bench.requireSynchronous()
        var random = bench.numbers()
        let workload = Workload(bench, &random, Workload.Shape(recordCount: 60))
        let plugin = bench.layered { _ in }
        let before = apus_check_count().allocations
        _ = try bench.run(plugin, workload)
        let count = apus_check_count().allocations - before
        for number in 1...max(1, min(count, 300)) {
            bench.note("allocation \(number) of \(count) fails")
            apus_check_fail_allocation(number, 0)
            defer { apus_check_fail_allocation(0, 0) }
            do {
                _ = try bench.run(plugin, workload)
            } catch CheckStop.skip {
                continue
            }
        }
        return .pass("\(min(count, 300)) of \(count) allocations")
    }
}

/// A value that goes to another thread while this one waits or leaves it alone.
final class Unchecked<Value>: @unchecked Sendable {
    // @unchecked because the checks that use it join the thread before they look at the value,
    // or share only what threads may share: that is what they are there to find out.
    let value: Value
    init(_ value: Value) { self.value = value }
}
