import ApusBench
import Foundation

extension BenchCommand {
    /// What a call of a C function costs.
    func measureFunctions() throws {
        let world = World()
        let benchmark = FunctionsBenchmark(
            FunctionsBenchmark.Surroundings(clock: world.clock, threads: world.threads),
            runCount: runs ?? 5,
            recordCount: records ?? 2_000_000
        )
        let result: FunctionsBenchmarkResult
        do {
            result = try benchmark.measure { Console.note("functions: \($0)") }
        } catch {
            Console.error(error.description)
            throw ExitStatus.failed
        }
        try show(result, text: Self.text(result))
    }

    private static func text(_ result: FunctionsBenchmarkResult) -> String {
        var lines = [
            "functions: nanoseconds per record, f64(f64, f64)",
            "                    median     min     max   runs",
        ]
        for (title, figures) in [("call alone", result.bare), ("in a job", result.job)] {
            lines += figures.map { figure in
                let values = [figure.nanoseconds, figure.nanosecondsMin, figure.nanosecondsMax]
                let name = "  \(title): \(figure.way)"
                return name + String(repeating: " ", count: max(1, 20 - name.count))
                    + values.map { column(String(format: "%.2f", $0), 8) }.joined()
                    + column("\(figure.runs)", 7)
            }
        }
        lines.append(
            "  \(result.calls) calls and \(result.records) records in a run; jobs on one thread"
        )
        return lines.joined(separator: "\n")
    }

    private static func column(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(1, width - text.count)) + text
    }
}
