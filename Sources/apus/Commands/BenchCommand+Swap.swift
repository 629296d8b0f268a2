import ApusBench
import ApusPluginHost
import Foundation

extension BenchCommand {
    /// The size of a plugin file that is loaded for each swap.
    private static let preparedByteCount = 20_000_000
    /// How many different files there are, or two that take turns.
    private static let manyCount = 1 << 30
    private static let diamondRecordCount = 100_000_000
    private static let diamondSeconds = 60.0
    /// The part of that for swaps of each operator by itself.
    private static let naivePart = 10

    /// What is measured.
    private var swapMode: SwapMode { mode ?? (schema ? .schema : .code) }

    /// Measures swaps of a job under load.
    func measureSwaps(_ session: Session) throws {
        if swapMode == .diamond { return try measureDiamond(session) }
        let isMany = swapMode == .endurance || swapMode == .versions
        let options = SwapBenchmark.Options(
            keyCount: keyCount,
            load: load ?? (isMany ? 0.05 : 0.7),
            swapCount: runs ?? (isMany ? 10_000 : 100),
            pauseSeconds: 0.1,
            change: swapMode == .schema ? .schema : swapMode == .prepare ? .plugin : .code
        )
        let job = BenchmarkJob(
            name: "bench-swap",
            component: SwapBenchmark.component,
            parallelism: threadCount
        )
        func say(_ text: String) { Console.note("swap: \(text)") }
        let saturation = try session.withSetup(job, start: nil) { setup in
            try SwapBenchmark(options, setup: setup).measureSaturation(progress: say)
        }
        let rate = max(1, Int(saturation * options.load))
        say("at most \(Int(saturation)) records/s; \(rate) are due")
        switch swapMode {
        case .endurance, .versions:
            let result = try session.withSetup(job, start: nil) { setup in
                try SwapBenchmark(options, setup: setup, files: try copies(session))
                    .endure(recordsPerSecond: rate, progress: say)
            }
            try show(result, text: Self.text(result))
        case .flip:
            let result = try session.withSetup(job, start: nil) { setup in
                try SwapBenchmark(options, setup: setup)
                    .measureFlips(recordsPerSecond: rate, progress: say)
            }
            try show(result, text: Self.text(result))
        case .code, .schema, .prepare, .diamond:
            try measureLatencies(session, job, options, saturation, rate, say)
        }
    }

    private func measureLatencies(
        _ session: Session,
        _ job: BenchmarkJob,
        _ options: SwapBenchmark.Options,
        _ saturation: Double,
        _ rate: Int,
        _ say: @escaping (String) -> Void
    ) throws {
        let swapped = try session.withSetup(job, start: nil) { setup in
            try SwapBenchmark(options, setup: setup, files: try copies(session))
                .measure(recordsPerSecond: rate, seconds: nil, progress: say)
        }
        say("the same for \(Int(swapped.seconds)) s without swaps")
        let control = try session.withSetup(job, start: nil) { setup in
            try SwapBenchmark(options, setup: setup)
                .measure(recordsPerSecond: rate, seconds: swapped.seconds, progress: say)
        }
        let result = SwapBenchmarkResult(
            options,
            parallelism: threadCount,
            saturation: saturation,
            rate: rate,
            control: control,
            swapped: swapped
        )
        try show(result, text: Self.text(result))
    }

    /// The files that versions come from; nil for a mode in which all come from one.
    private func copies(_ session: Session) throws -> PluginCopies? {
        let isFew = swapMode == .endurance
        guard isFew || swapMode == .versions || swapMode == .prepare else { return nil }
        return try PluginCopies(
            of: plugin ?? session.plugin.file,
            folder: "\(session.folder)/copies",
            byteCount: swapMode == .prepare ? Self.preparedByteCount : 0,
            distinctCount: isFew ? 2 : Self.manyCount,
            loader: session.world.loader,
            disk: session.world.disk
        )
    }

    // MARK: - Several operators at once

    private struct DiamondResult: Encodable {
        let atomic: DiamondBenchmark.Side
        let naive: DiamondBenchmark.Side
    }

    private func measureDiamond(_ session: Session) throws {
        let count = records ?? Self.diamondRecordCount
        func measure(isAtomic: Bool) throws -> DiamondBenchmark.Side {
            let part = isAtomic ? 1 : Self.naivePart
            let name = "bench-diamond-\(isAtomic ? "atomic" : "naive")"
            var job = job(session, name, DiamondBenchmark.component, intervalMicroseconds)
            job.isDiamond = true
            return try session.withSetup(job, start: .new) { setup in
                try DiamondBenchmark(
                    recordCount: max(1, count / part),
                    seconds: (seconds ?? Self.diamondSeconds) / Double(part),
                    setup: setup
                ).measure(isAtomic: isAtomic) { Console.note("swap: \($0)") }
            }
        }
        let result = DiamondResult(
            atomic: try measure(isAtomic: true),
            naive: try measure(isAtomic: false)
        )
        func line(_ title: String, _ side: DiamondBenchmark.Side) -> String {
            "  \(title): \(side.records) records, \(side.swaps) swaps of four operators in "
                + String(format: "%.1f s", side.seconds)
                + ": \(side.mixed) of \(side.lines) lines are mixed; lines by version "
                + "\(side.linesByVersion[0]), \(side.linesByVersion[1]); each record "
                + (side.isWhole ? "came" : "did NOT come") + " by both ways once"
        }
        try show(
            result,
            text: [
                "swap (diamond)", line("one barrier", result.atomic),
                line("one by one", result.naive),
            ].joined(separator: "\n")
        )
        let isGood =
            result.atomic.mixed == 0 && result.atomic.isWhole && result.naive.mixed > 0
            && result.naive.isWhole
        guard isGood else { throw ExitStatus.failed }
    }

    // MARK: - Text

    private static func text(_ result: SwapBenchmark.Endurance) -> String {
        let looks = result.looks.map { look in
            "  after \(look.swaps) swaps: \(look.residentBytes >> 10) KiB resident, "
                + "\(look.allocatedBytes >> 10) KiB allocated, \(look.mappings) mappings, "
                + "\(look.threads) threads, \(look.files) files"
        }
        return
            ([
                String(
                    format: "swap (endurance): %d swaps, %d files loaded, %d unloaded; "
                        + "%.0f bytes resident and %.0f allocated more per swap from the middle on",
                    result.swaps,
                    result.loadedFiles,
                    result.unloadedFiles,
                    result.residentBytesPerSwap,
                    result.allocatedBytesPerSwap
                )
            ] + looks).joined(separator: "\n")
    }

    private static func text(_ result: SwapBenchmark.Flips) -> String {
        func line(_ title: String, _ times: SwapBenchmarkResult.Times?) -> String {
            guard let times else { return "  \(title): none" }
            return String(
                format: "  %@: p50 %.0f us, p99 %.0f us, max %.0f us, n %d",
                title,
                times.p50,
                times.p99,
                times.maximum,
                times.count
            )
        }
        return [
            "swap (flip): until the version before is in force again",
            line("the new one was not called", result.notCalled),
            line("the new one was called, at \(result.rate) records/s", result.called),
        ].joined(separator: "\n")
    }

    private static func text(_ result: SwapBenchmarkResult) -> String {
        func times(_ title: String, _ times: SwapBenchmarkResult.Times?) -> [String] {
            guard let times else { return [] }
            let values = [times.p50, times.p99, times.maximum].map { value in
                String(format: "%12.0f", value)
            }
            return [
                "  "
                    + title.padding(toLength: max(26, title.count + 1), withPad: " ", startingAt: 0)
                    + values.joined() + "   n \(times.count)"
            ]
        }
        func windows(_ title: String, _ found: SwapBenchmarkResult.Windows?) -> [String] {
            guard let found else { return [] }
            return times("slowest record " + title, found.swapped)
                + times("  the same without swaps", found.control)
        }
        func latencies(_ title: String, _ found: LatencyFigures) -> String {
            let values = [found.p50, found.p99, found.p999, found.maximum].map { value in
                String(format: "%9.3f", value)
            }
            return "  "
                + title.padding(toLength: max(20, title.count + 1), withPad: " ", startingAt: 0)
                + values.joined() + "   n \(found.count)"
        }
        var lines = [
            "swap (\(result.change)): \(result.keys) keys, \(result.parallelism) threads, "
                + "\(result.rate) records/s, \(Int(result.load * 100)) % of "
                + "\(Int(result.saturation)), seed \(result.seed)",
            "  latency, ms               p50      p99    p99.9      max",
            latencies("without swaps", result.control),
            latencies("with swaps", result.swapped),
            String(
                format: "  added to the slowest record %.3f ms; p99 x%.2f",
                result.addedMaximumMilliseconds,
                result.ratios.p99
            ),
            "  times, us                          p50         p99         max",
        ]
        lines += times("in force", result.inForce)
        lines += times("switch, longest thread", result.switching)
        lines += times("prepare (beside)", result.prepare)
        lines += times("all rows moved", result.sweep)
        lines += windows("while it is prepared", result.prepareWindows)
        lines += windows("50 ms from the cut on", result.cutWindows)
        if let moving = result.moving, let ratios = result.movingRatios {
            lines.append(latencies("while rows are moved", moving))
            lines.append(String(format: "    p99 x%.2f of that without swaps", ratios.p99))
        }
        lines.append(
            "  resident memory: \(result.grownBytesPerSwap) bytes more per swap than without; "
                + "records behind at the end: \(result.behindRecords[0]), "
                + "\(result.behindRecords[1])"
        )
        return lines.joined(separator: "\n")
    }
}
