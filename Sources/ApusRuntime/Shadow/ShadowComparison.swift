/// Outputs of two versions that wait for their partners.
struct ShadowComparison {
    /// How many more of each the running version has written than the new one, where it is not the
    /// same number.
    private var open: [[UInt8]: Int] = [:]
    /// Of the outputs without partner.
    private(set) var onlyRunning = 0
    private(set) var onlyNew = 0
    private(set) var running = 0
    private(set) var new = 0
    private(set) var equal = 0
    /// Rejected records among them.
    private(set) var rejectedRunning = 0
    private(set) var rejectedNew = 0

    /// The most outputs without partner that are kept: versions with more have little in common.
    static let openCountMax = 100_000

    /// Whether too many have no partner to go on.
    var isFull: Bool { open.count > Self.openCountMax }

    /// Adds an output of the running version.
    mutating func addRunning(_ output: [UInt8]) {
        running += 1
        if ShadowOutput.isRejected(output) { rejectedRunning += 1 }
        let had = open[output] ?? 0
        open[output] = had == -1 ? nil : had + 1
        if had < 0 {
            equal += 1
            onlyNew -= 1
        } else {
            onlyRunning += 1
        }
    }

    /// Adds an output of the new version.
    mutating func addNew(_ output: [UInt8]) {
        new += 1
        if ShadowOutput.isRejected(output) { rejectedNew += 1 }
        let had = open[output] ?? 0
        open[output] = had == 1 ? nil : had - 1
        if had > 0 {
            equal += 1
            onlyRunning -= 1
        } else {
            onlyNew += 1
        }
    }

    /// Some outputs without partner, of both versions if both have some, and rejected records among
    /// them if there are any.
    var samples: [ShadowReport.Sample] {
        (samples(of: .running) + samples(of: .new)).sorted {
            ($0.key, $0.side.rawValue, $0.value) < ($1.key, $1.side.rawValue, $1.value)
        }
    }

    private func samples(of side: ShadowReport.Side) -> [ShadowReport.Sample] {
        let half = ShadowReport.sampleCountMax / 2
        var outputs: [ShadowReport.Sample] = []
        var rejected: [ShadowReport.Sample] = []
        for (bytes, count) in open where (count > 0) == (side == .running) {
            if outputs.count >= half, rejected.count >= half / 2 { break }
            guard let sample = ShadowOutput.sample(bytes, side) else { continue }
            if sample.output == nil, rejected.count < half / 2 {
                rejected.append(sample)
            } else if outputs.count < half {
                outputs.append(sample)
            }
        }
        return rejected + outputs.prefix(half - rejected.count)
    }
}
