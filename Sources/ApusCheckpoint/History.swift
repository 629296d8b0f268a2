/// Which checkpoints belong to the history of a job, going by what its manifests say.
///
/// A manifest names the checkpoint that the job went on from. Those in between were given up before
/// they were complete, or the job was set back behind them: state of theirs must not be mixed with
/// output of the others.
struct History: Sendable {
    private var gaps: [(after: UInt64, before: UInt64)] = []

    /// Adds what a manifest says.
    mutating func add(_ manifest: Manifest) {
        gaps.append((manifest.previousNumber ?? 0, manifest.number))
    }

    /// Whether a checkpoint was left out by a later one.
    func isAbandoned(_ number: UInt64) -> Bool {
        gaps.contains { $0.after < number && number < $0.before }
    }
}
