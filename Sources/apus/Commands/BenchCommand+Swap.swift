import ApusBench
import Foundation

extension BenchCommand {
    /// Measures swaps of a job under load.
    func measureSwaps(_ session: Session) throws {
        let options = SwapBenchmark.Options(
            keyCount: keyCount,
            load: load ?? 0.7,
            swapCount: runs ?? 100,
            pauseSeconds: 0.1,
            changesSchema: schema
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
        let swapped = try session.withSetup(job, start: nil) { setup in
            try SwapBenchmark(options, setup: setup)
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

    private static func text(_ result: SwapBenchmarkResult) -> String {
        func times(_ title: String, _ times: SwapBenchmarkResult.Times?) -> [String] {
            guard let times else { return [] }
            let values = [times.p50, times.p99, times.maximum].map { value in
                String(format: "%12.0f", value)
            }
            return [
                "  " + title.padding(toLength: 26, withPad: " ", startingAt: 0)
                    + values.joined() + "   n \(times.count)"
            ]
        }
        func latencies(_ title: String, _ found: LatencyFigures) -> String {
            let values = [found.p50, found.p99, found.p999, found.maximum].map { value in
                String(format: "%9.3f", value)
            }
            return "  " + title.padding(toLength: 20, withPad: " ", startingAt: 0)
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
        lines.append(
            "  resident memory: \(result.grownBytesPerSwap) bytes more per swap than without; "
                + "records behind at the end: \(result.behindRecords[0]), "
                + "\(result.behindRecords[1])"
        )
        return lines.joined(separator: "\n")
    }
}
