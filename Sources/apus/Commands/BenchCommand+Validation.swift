import ApusBench
import ApusGraph
import ArgumentParser
import Foundation

extension BenchCommand {
    /// The ways of measuring.
    enum Kind {
        case throughput
        case checkpoint
        case recovery
        case armedTimers
        case endpoints
        case functions
        case abi
        case loading
        case swaps

        /// The options that go with it, besides those that go with all.
        var options: Set<String> {
            switch self {
            case .throughput:
                [
                    "--keys", "--seconds", "--windows", "--state", "--checkpoint-interval",
                    "--memory-budget",
                ]
            case .checkpoint:
                [
                    "--state-size", "--value-size", "--rate", "--seconds", "--checkpoint-interval",
                    "--memory-budget",
                ]
            case .recovery:
                ["--state-size", "--value-size", "--memory-budget", "--runs", "--cold"]
            case .armedTimers:
                ["--armed", "--keys", "--checkpoint-interval", "--memory-budget"]
            case .endpoints: ["--seconds", "--windows"]
            case .functions, .abi:
                ["--runs", "--records"]
            case .loading:
                ["--plugin", "--runs"]
            case .swaps:
                ["--keys", "--runs", "--load", "--schema", "--mode", "--plugin", "--records"]
            }
        }
    }

    private static let names =
        Benchmark.allCases.map(\.rawValue) + [
            "all", "checkpoint", "load", "recovery", "endpoints", "functions", "abi", "swap",
        ]

    /// How the benchmark measures; nil when there is none of this name.
    var kind: Kind? {
        switch name {
        case "checkpoint": .checkpoint
        case "recovery": .recovery
        case "endpoints": .endpoints
        case "functions": .functions
        case "abi": .abi
        case "load": .loading
        case "swap": .swaps
        case "timers": armed == nil ? .throughput : .armedTimers
        default: Self.names.contains(name) ? .throughput : nil
        }
    }

    /// The options that were given, of those that do not go with all benchmarks.
    private var given: [String] {
        let all: [(name: String, isGiven: Bool)] = [
            ("--keys", keys != nil), ("--seconds", seconds != nil), ("--windows", windows != nil),
            ("--state", state != nil), ("--checkpoint-interval", interval != nil),
            ("--memory-budget", memoryBudget != nil), ("--state-size", stateSize != nil),
            ("--value-size", valueSize != nil), ("--rate", rate != nil), ("--runs", runs != nil),
            ("--cold", cold), ("--armed", armed != nil), ("--records", records != nil),
            ("--plugin", plugin != nil), ("--load", load != nil), ("--schema", schema),
            ("--mode", mode != nil),
        ]
        return all.filter(\.isGiven).map(\.name)
    }

    func checkNames() throws {
        guard let kind else {
            throw ValidationError(
                "unknown benchmark '\(name)'; expected one of "
                    + Self.names.joined(separator: ", ")
            )
        }
        if let stranger = given.first(where: { !kind.options.contains($0) }) {
            throw ValidationError(
                "\(stranger) has no meaning for '\(name)'"
                    + (kind == .armedTimers ? " with --armed" : "") + "; it takes "
                    + kind.options.sorted().joined(separator: ", ")
            )
        }
        if let state, state != "memory", state != "rocksdb" {
            throw ValidationError("--state \(state): expected memory or rocksdb")
        }
        if schema, let mode, mode != .schema {
            throw ValidationError("--schema is --mode schema, not --mode \(mode.rawValue)")
        }
        guard kind == .swaps || (kind == .loading) == (plugin != nil) else {
            throw ValidationError("load: expected a plugin in C, with --plugin FILE")
        }
        guard kind == .throughput, state != "rocksdb" else { return }
        if let option = given.first(where: {
            $0 == "--checkpoint-interval" || $0 == "--memory-budget"
        }) {
            throw ValidationError("\(option) goes with --state rocksdb")
        }
    }

    func checkNumbers() throws {
        try check("--keys", keys, 1...1 << 31)
        try check("--parallelism", parallelism, 1...256)
        try check("--windows", windows, 3...1000)
        try check("--rate", rate, 1...10_000_000)
        try check("--runs", runs, 1...1_000_000)
        try check("--records", records, 1000...1_000_000_000)
        // A timer queue takes 2^30 timers.
        try check("--armed", armed, 1...1 << 30)
        if let load, !(0.01...1).contains(load) {
            throw ValidationError("--load \(load): expected a part, 0.01 to 1")
        }
        if let seconds, !(0.05...86_400).contains(seconds) {
            throw ValidationError("--seconds \(seconds): expected 0.05 to 86400")
        }
        if let keys, let armed, keys > armed {
            throw ValidationError("--keys \(keys): expected at most as many as timers, \(armed)")
        }
    }

    func checkSizes() throws {
        try check("--value-size", valueSize, 8...256 << 10, Self.sizeText)
        try check("--state-size", stateSize, 1 << 10...1 << 40, Self.sizeText)
        try check(
            "--memory-budget",
            memoryBudget,
            BudgetDescription.byteCountMin...1 << 50,
            Self.sizeText
        )
        let range = CheckpointDescription.intervalRange
        if let interval, !range.contains(interval) {
            throw ValidationError(
                "--checkpoint-interval \(DurationText.format(microseconds: interval)): expected "
                    + DurationText.format(microseconds: range.lowerBound) + " to "
                    + DurationText.format(microseconds: range.upperBound)
            )
        }
        if cold, geteuid() != 0 {
            throw ValidationError(
                "--cold: only root may empty the page cache; leave --cold out, or run as root"
            )
        }
    }

    private static let sizeText: @Sendable (Int) -> String = { ByteSizeText.format(byteCount: $0) }

    private func check(
        _ option: String,
        _ value: Int?,
        _ range: ClosedRange<Int>,
        _ text: (Int) -> String = { "\($0)" }
    ) throws {
        guard let value, !range.contains(value) else { return }
        throw ValidationError(
            "\(option) \(text(value)): expected \(text(range.lowerBound)) to "
                + text(range.upperBound)
        )
    }

    // MARK: - Sizes and durations

    /// Reads a size such as `256MiB`.
    static func byteCount(_ text: String) throws -> Int {
        let units = ByteSizeText.units.map { ($0.name, $0.byteCount) }
        return try amount(text, units, example: "256MiB")
    }

    /// Reads a duration such as `500ms`.
    static func microseconds(_ text: String) throws -> Int64 {
        let units = DurationText.units.map { ($0.name, Int($0.microseconds)) }
        return Int64(try amount(text, units, example: "500ms"))
    }

    private static func amount(
        _ text: String,
        _ units: [(name: String, size: Int)],
        example: String
    ) throws -> Int {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let name = text.dropFirst(digits.count)
        guard let number = Int(digits), let unit = units.first(where: { $0.name == name }) else {
            throw ValidationError(
                "expected a whole number with a unit, such as \(example); units are "
                    + units.map(\.name).joined(separator: ", ")
            )
        }
        let (product, isTooLarge) = number.multipliedReportingOverflow(by: unit.size)
        guard !isTooLarge else { throw ValidationError("it is too large") }
        return product
    }
}
