import ApusBench
import ApusPluginHost
import Foundation

extension BenchCommand {
    /// What a call into a plugin costs.
    func measureABI() throws {
        let world = World()
        let result: ABIBenchmarkResult
        do {
            let search = PluginSearch(world: world, jobFile: "")
            let benchmark = ABIBenchmark(
                clock: world.clock,
                threads: world.threads,
                plugin: try world.loader.load(try search.find("benchmark")),
                runCount: runs ?? 9,
                recordCount: records ?? 4_000_000
            )
            result = try benchmark.measure { Console.note("abi: \($0)") }
        } catch let error as PluginError {
            Console.error(error.description)
            throw ExitStatus.failed
        } catch let error as BenchmarkFailure {
            Console.error(error.description)
            throw ExitStatus.failed
        }
        try show(result, text: Self.text(result))
    }

    private static func text(_ result: ABIBenchmarkResult) -> String {
        let rows: [(String, ABIBenchmarkResult.Figure)] = [
            ("passthrough plugin, ns/record", result.passthrough),
            ("  the same loop in the host", result.passthroughBare),
            ("filter plugin, ns/record", result.filter),
            ("  the same loop in the host", result.filterBare),
            ("a call that does nothing, ns", result.call),
            ("asynchronous calls/s", result.completions),
        ]
        var lines = ["abi:                               median         min         max"]
        lines += rows.map { title, figure in
            let values = [figure.median, figure.min, figure.max]
            let format = figure.median < 1000 ? "%.2f" : "%.0f"
            return "  " + title.padding(toLength: 29, withPad: " ", startingAt: 0)
                + values.map { value in
                    let text = String(format: format, value)
                    return String(repeating: " ", count: max(1, 12 - text.count)) + text
                }.joined()
        }
        lines.append(
            "  \(result.runs) runs of \(result.batches) batches of \(result.batchRecords); calls "
                + "of 1 ms, at most \(result.capacity) under way"
        )
        return lines.joined(separator: "\n")
    }
}
