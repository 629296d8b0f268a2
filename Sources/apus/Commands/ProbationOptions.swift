import ApusSwap
import ArgumentParser

/// What every command takes that puts something on probation.
struct ProbationOptions: ParsableArguments {
    @Option(
        name: .customLong("guard"),
        help: ArgumentHelp("How long what is new is on probation.", valueName: "time")
    )
    var probation: String?

    @Option(help: ArgumentHelp("The most rejected records: 1% or 0.01.", valueName: "rate"))
    var maxErrorRate: String?

    @Option(
        help: ArgumentHelp("How long 99 of 100 batches may take.", valueName: "time")
    )
    var maxP99: String?

    @Option(
        help: ArgumentHelp("The most that a counter may show.", valueName: "name=n")
    )
    var maxCounter: [String] = []

    @Flag(help: "Return as soon as what is new is in force and on probation.")
    var detach = false

    /// How long it lasts, in microseconds; nil for not at all.
    func duration() throws -> Int64? { try probation.map { try SwapText.time($0, "--guard") } }

    /// What has to be kept to meanwhile.
    func limits() throws -> SwapLimits {
        guard probation != nil || maxErrorRate == nil && maxP99 == nil && maxCounter.isEmpty else {
            throw ValidationError("limits are for a probation: give --guard TIME as well")
        }
        var limits = SwapLimits()
        if let maxErrorRate {
            limits.errorRate = try SwapText.rate(maxErrorRate, "--max-error-rate")
        }
        if let maxP99 { limits.p99Microseconds = try SwapText.time(maxP99, "--max-p99") }
        for text in maxCounter {
            let (name, value) = try SwapText.counter(text, "--max-counter")
            limits.counters[name] = value
        }
        return limits
    }
}
