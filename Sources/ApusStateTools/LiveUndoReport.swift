/// What an undo put back into a running job, or would put back.
package struct LiveUndoReport: Encodable, Sendable {
    /// The checkpoint that the job has taken for it.
    package let checkpoint: UInt64
    /// The file.
    package let file: String
    /// Whether nothing was done.
    package internal(set) var isDryRun = true
    /// The keys in the file.
    package internal(set) var keyCount = 0
    /// Those of them that had nothing in the checkpoint.
    package internal(set) var absentKeyCount = 0
    /// Keys that have again what they had.
    package private(set) var restoredKeyCount = 0
    /// Keys that were left, because they have something now.
    package private(set) var occupiedKeyCount = 0
    /// Keys whose state is not what the operator declares.
    package private(set) var unfitKeyCount = 0
    /// The first checkpoint with the keys; nil when nothing was put back.
    package var newCheckpoint: UInt64?

    init(checkpoint: UInt64, file: String) {
        self.checkpoint = checkpoint
        self.file = file
    }

    /// Keys that the job has answered for.
    var handledKeyCount: Int { restoredKeyCount + occupiedKeyCount + unfitKeyCount }

    mutating func add(_ counts: LiveUndo.Counts) {
        restoredKeyCount += counts.restored
        occupiedKeyCount += counts.occupied
        unfitKeyCount += counts.unfit
    }

    /// The report as text.
    package var text: String {
        guard !isDryRun else {
            return """
                \(file): \(keyCount) keys, of which \(absentKeyCount) have nothing in the running \
                job, as of checkpoint \(checkpoint)
                nothing was changed: this is a dry run; --yes does it
                """
        }
        var lines = ["brought back \(restoredKeyCount) of \(keyCount) keys into the running job"]
        if occupiedKeyCount > 0 {
            lines.append("  \(occupiedKeyCount) keys stay as they are: they have something now")
        }
        if unfitKeyCount > 0 {
            lines.append("  \(unfitKeyCount) keys do not fit what the operator declares")
        }
        lines.append(
            newCheckpoint.map { "checkpoint \($0) is the first one with them" }
                ?? "nothing was changed"
        )
        return lines.joined(separator: "\n")
    }
}
