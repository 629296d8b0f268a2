import ApusGraph
import ApusSwap

/// What another job file would do to a running job, before anything is touched.
struct UpgradePlan: Codable, Sendable {
    /// An operator that gets another version of its plugin.
    struct Version: Codable, Sendable {
        var `operator`: String
        var from: PluginVersion
        var to: PluginVersion
        /// What becomes of its state and timers.
        var change: ComponentChange
    }

    /// Something of the checkpoint that no node of the new file takes over.
    struct Orphan: Codable, Sendable {
        var id: String
        /// "source" or "operator".
        var kind: JobDifference.Kind
        /// Keys with state or timers; nil when that is not known.
        var keys: Int?
        /// Whether the user gives it up.
        var isDropped: Bool
    }

    /// Something of the job that is no node.
    struct Setting: Codable, Sendable {
        /// As in the job file.
        var name: String
        /// Whether it takes effect with the upgrade; otherwise with the next start of the process.
        var isTakenOver: Bool
    }

    var job: String
    var from: SwapIntent.JobFile
    var to: SwapIntent.JobFile
    /// All nodes of both files.
    var nodes: [JobDifference.Node]
    /// What else is not the same.
    var settings: [Setting] = []
    /// Operators that get another version.
    var versions: [Version]
    /// What nobody takes over.
    var orphans: [Orphan]
    /// Why it cannot be done, and how to mend it; empty when it can.
    var refusals: [String]

    /// Whether it cannot be done.
    var isRefused: Bool { !refusals.isEmpty }

    /// The plan for people; the last line says what will happen.
    var text: String {
        var lines = ["job '\(job)': \(Self.text(from)) -> \(Self.text(to))", ""]
        if from.sha256 == to.sha256 {
            lines.append("  the file has not changed; what it names may have")
        }
        let changed = nodes.filter { $0.fate != .same }
        for node in changed {
            lines.append(
                "  \(node.fate.rawValue): \(node.kind.rawValue) '\(node.id)'"
                    + (node.aspects.isEmpty ? "" : ": \(node.aspects.joined(separator: ", "))")
            )
        }
        let same = nodes.count - changed.count
        if !nodes.isEmpty {
            lines.append("  \(changed.isEmpty ? "no node changes: " : "the same: ")\(same) nodes")
        }
        for setting in settings {
            lines.append(
                "  \(setting.name): "
                    + (setting.isTakenOver
                        ? "changes" : "does not change before the process is started again")
            )
        }
        for version in versions {
            lines.append(
                "  \(version.operator): \(version.from.text) -> \(version.to.text)"
                    + (version.change.isCodeOnly ? ", the code alone" : "")
            )
            lines += version.change.parts.filter { $0.verdict != .asIs }
                .map { "    \($0.kind.rawValue) '\($0.name)': \($0.verdict.rawValue)" }
        }
        for orphan in orphans where orphan.isDropped {
            lines.append(
                "  given up when the job stays so: what \(orphan.kind.rawValue) '\(orphan.id)' has"
                    + Self.extent(orphan)
            )
        }
        lines.append("")
        lines += refusals.map { "refused: \($0)" }
        lines.append(
            isRefused
                ? "nothing will happen: the upgrade is refused, and the job goes on as it is"
                : "will stop with a checkpoint and go on from it with the new file; with --guard "
                    + "the way back is that checkpoint, and output waits until then"
        )
        return lines.joined(separator: "\n")
    }

    /// How much an orphan has: `: 1200 keys`; empty when that is not known.
    static func extent(_ orphan: Orphan) -> String {
        orphan.keys.map { ": \($0) keys" } ?? (orphan.kind == .source ? ": its position" : "")
    }

    private static func text(_ file: SwapIntent.JobFile) -> String {
        // One that cannot be read has no hash.
        file.sha256.isEmpty ? file.path : file.text
    }
}
