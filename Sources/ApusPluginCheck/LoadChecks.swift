import ApusCore
import ApusIO
import ApusPluginHost
import CApusCheck

/// Group B: loading the file, and its entry function.
enum LoadChecks {
    static let all = [
        load, emptyEnvironment, time, process, output, sideBySide, manyCopies, laterHost,
        entryTwice,
    ]

    /// For a file that cannot be loaded every check fails or is skipped; this one says why.
    static let load = Check(
        id: "B15",
        name: "loads",
        demand: "The file is a library for this machine, with everything it needs, and its entry "
            + "function takes this host",
        strictness: 1,
        timeoutSeconds: 10,
        subject: .plugin
    ) { bench in
        .pass("\(bench.plugin.description.id) \(bench.plugin.description.version)")
    }

    /// Loads a copy of the file, which is another library to the linker.
    private static func copy(_ bench: CheckBench, _ number: Int) throws -> LoadedPlugin {
        try PluginLoader(
            disk: bench.disk,
            imageDirectory: "\(bench.imageDirectory)/copy-\(number)"
        ).load(bench.file)
    }

    static let emptyEnvironment = Check(
        id: "B16",
        name: "loads-without-environment",
        demand: "It loads without any environment variable: a service may have none",
        strictness: 5,
        timeoutSeconds: 10,
        subject: .plugin
    ) { bench in
        apus_check_clear_environment()
        do {
            _ = try copy(bench, 0)
        } catch {
            throw CheckStop.fail("without environment variables: \(error)")
        }
        return .pass()
    }

    static let time = Check(
        id: "B17",
        name: "loads-at-once",
        demand: "Loading takes less than 100 ms: constructors and the entry function do nothing "
            + "but set up constants",
        strictness: 5,
        timeoutSeconds: 10,
        subject: .plugin
    ) { bench in
        // The second of two, so that the file is in memory.
        let start = bench.clock.monotonicNanoseconds()
        _ = try copy(bench, 0)
        let best = min(bench.loadNanoseconds, bench.clock.monotonicNanoseconds() - start)
        let text = "\(DecimalText.of(Double(best) / 1_000_000)) ms"
        return best < 100_000_000 ? .pass(text) : .warn("loading took \(text)")
    }

    static let process = Check(
        id: "B18",
        name: "loading-changes-nothing",
        demand: "Constructors start no threads, open no files, and change no signals, folder, "
            + "locale, environment, limits or rounding: all plugins share them",
        strictness: 5,
        timeoutSeconds: 10,
        subject: .plugin
    ) { bench in
        // The host has put back most of it.
        if let change = bench.plugin.changes.first {
            throw CheckStop.fail("while it was loaded it \(change.text)")
        }
        if let change = bench.processChange(
            CheckBench.allParts,
            since: bench.linesBeforeLoading
        ) {
            throw CheckStop.fail("loading has changed the process: \(change)")
        }
        return .pass()
    }

    static let output = Check(
        id: "B19",
        name: "loading-prints-nothing",
        demand: "Nothing goes to standard output while it is loaded",
        strictness: 5,
        timeoutSeconds: 10,
        subject: .plugin
    ) { bench in
        if let text = bench.divertedOutput {
            throw CheckStop.fail("while it was loaded it printed \(text)")
        }
        return .pass()
    }

    static let sideBySide = Check(
        id: "B21",
        name: "two-copies-side-by-side",
        demand: "Two copies of the file work in one process without knowing of each other: that "
            + "is what a swap is",
        strictness: 5,
        isRandomised: true
    ) { bench in
        try bench.requireSynchronous()
        let other = try copy(bench, 0)
        var random = bench.numbers()
        let workload = Workload(bench, &random)
        let expected = try bench.baseline(workload)
        let runs = [try OperatorRun(bench.plugin, bench), try OperatorRun(other, bench)]
        for run in runs { try run.open() }
        for step in workload.steps { for run in runs { try run.take(step) } }
        for run in runs {
            _ = run.takeImage(keys: workload.keys)
            try run.close()
            try bench.require(run.transcript, equals: expected, "with a second copy at work")
        }
        return .pass()
    }

    static let manyCopies = Check(
        id: "B22",
        name: "many-copies",
        demand: "Forty copies can be loaded into one process: each swap may leave one behind",
        strictness: 5,
        subject: .plugin
    ) { bench in
        let before = apus_check_resident_bytes()
        for number in 0..<40 {
            bench.note("copy \(number)")
            do {
                _ = try copy(bench, number)
            } catch {
                throw CheckStop.fail("copy \(number + 1) cannot be loaded any more: \(error)")
            }
        }
        let growth = Int64(bitPattern: apus_check_resident_bytes() &- before)
        return .pass("\(max(0, growth) / 40 / 1024) KiB each")
    }

    static let laterHost = Check(
        id: "B24",
        name: "later-host-table",
        demand: "The entry function takes the larger host table of a later version, whose "
            + "extensions it does not know",
        strictness: 5,
        timeoutSeconds: 10,
        subject: .plugin
    ) { bench in
        try entry(bench, surplus: 64, times: 1)
        return .pass()
    }

    static let entryTwice = Check(
        id: "B26",
        name: "entry-called-twice",
        demand: "The entry function may be called again, and gives the same description",
        strictness: 5,
        timeoutSeconds: 10,
        subject: .plugin
    ) { bench in
        try entry(bench, surplus: 0, times: 3)
        return .pass()
    }

    private static func entry(_ bench: CheckBench, surplus: UInt32, times: UInt32) throws {
        var message = [CChar](repeating: 0, count: 600)
        let path = bench.file.hasPrefix("/") ? bench.file : "./\(bench.file)"
        let code = apus_check_entry(path, surplus, times, &message, UInt64(message.count))
        guard code != 0 else { return }
        let text = String(
            decoding: message.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)),
            as: UTF8.self
        )
        // One that cannot do without an extension says so, rightly.
        if code == 2, surplus == 0 || text.contains("apus.") { throw CheckStop.skip(text) }
        throw CheckStop.fail("the entry function: \(text)")
    }
}
