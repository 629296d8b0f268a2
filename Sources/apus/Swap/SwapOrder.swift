import ApusRuntime
import ApusSwap

/// What somebody wants to be swapped, and how; the parameters of `swap.plan` and `swap.run`.
struct SwapOrder: Codable, Sendable {
    /// An operator and the file of the version that is to take over.
    struct Change: Codable, Sendable {
        /// The operator's id.
        var `operator`: String
        /// The plugin's file, from the root.
        var file: String
        /// The component; nil for the one of the running version's id, or the only one.
        var component: String?
        /// The beginning of the hash of the file that is expected to run; nil for any.
        var expected: String?
    }

    /// At least one, each of another operator.
    var changes: [Change]
    /// How long the new version runs beside the old one before the cut, in microseconds; nil for
    /// not at all.
    var shadowMicroseconds: Int64?
    /// The part of the outputs that may differ then, 0 to 1.
    var maxDifferences = 0.0
    /// Whether there is to be no cut afterwards.
    var isShadowOnly = false
    /// How long the new versions are on probation, in microseconds; nil for not at all.
    var guardMicroseconds: Int64?
    /// What they have to keep to meanwhile.
    var limits = SwapLimits()
    /// How long the cut may take, in microseconds.
    var deadlineMicroseconds: Int64 = 10_000_000
    /// "boundary" or "barrier"; nil for what the change needs.
    var cut: String?
    /// What becomes of keys whose state cannot be migrated; nil for rolling back.
    var onBadValue: String?
    /// The worst way back that is good enough: "flip", "rewind" or "downgrade"; nil for any.
    var leastRung: String?
    /// Whether the answer is wanted as soon as the new versions are in force.
    var isDetached = false

    /// The probation, as the journal has it; nil for none.
    var guardOfIntent: SwapIntent.Guard? {
        guard let guardMicroseconds else { return nil }
        var found = SwapIntent.Guard(durationMicroseconds: guardMicroseconds)
        found.maxErrorRate = limits.errorRate
        found.maxP99Microseconds = limits.p99Microseconds
        found.maxCounters = limits.counters
        found.onBadValue = onBadValue.flatMap(SwapIntent.Guard.BadValue.init)
        return found
    }

    /// What becomes of keys whose state cannot be migrated.
    var policy: BadValuePolicy { onBadValue.flatMap(BadValuePolicy.init) ?? .rollBack }
}
