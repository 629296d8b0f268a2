import ApusCheckpoint

/// What a purge of a running job removed.
package struct LivePurgeReport: Encodable, Sendable {
    /// How many keys that go are named.
    private static let exampleCount = 10

    /// The checkpoint in which the keys were found.
    package let checkpoint: UInt64
    /// What was asked for.
    package let expression: String
    /// How many keys were looked at.
    package internal(set) var scannedKeyCount = 0
    /// Keys that were selected and not asked to go, because they were written so short before the
    /// checkpoint that they are in use.
    package internal(set) var inUseKeyCount = 0
    /// Keys that the job was asked to remove.
    package private(set) var selectedKeyCount = 0
    /// Keys that are gone, or a state of them.
    package private(set) var removedKeyCount = 0
    /// Keys that the job has left, because they were written since the checkpoint.
    package private(set) var touchedKeyCount = 0
    /// Keys that had gone by themselves.
    package private(set) var missingKeyCount = 0
    /// How many keys were selected, by operator.
    package private(set) var selectedKeyCountByOperator: [String: Int] = [:]
    /// The first of the keys.
    package private(set) var examples: [KeyReport.Bytes] = []
    /// The file with what was selected.
    package internal(set) var tombstones: String?
    /// The first checkpoint without the keys; nil when nothing was removed.
    package var newCheckpoint: UInt64?

    private let stateName: String?

    enum CodingKeys: String, CodingKey {
        case checkpoint
        case expression
        case scannedKeyCount
        case inUseKeyCount
        case selectedKeyCount
        case removedKeyCount
        case touchedKeyCount
        case missingKeyCount
        case selectedKeyCountByOperator
        case examples
        case tombstones
        case newCheckpoint
    }

    init(_ manifest: Manifest, _ selection: StatePurge.Selection) {
        checkpoint = manifest.number
        expression = selection.expression
        stateName = selection.stateName
    }

    /// Keys that the job has answered for.
    var handledKeyCount: Int { removedKeyCount + touchedKeyCount + missingKeyCount }

    mutating func add(_ key: KeySummary, _ name: String) {
        selectedKeyCount += 1
        selectedKeyCountByOperator[name, default: 0] += 1
        if examples.count < Self.exampleCount { examples.append(KeyReport.Bytes(key.key)) }
    }

    mutating func add(_ counts: LivePurge.Counts) {
        removedKeyCount += counts.removed
        touchedKeyCount += counts.touched
        missingKeyCount += counts.missing
    }

    /// The report as text.
    package var text: String {
        let what = stateName.map { "state '\($0)' of " } ?? ""
        var lines = [
            "removed \(what)\(removedKeyCount) of \(scannedKeyCount) keys from the running job"
        ]
        for (name, count) in selectedKeyCountByOperator.sorted(by: { $0.key < $1.key }) {
            lines.append("  \(name): \(count) keys selected in checkpoint \(checkpoint)")
        }
        let kept = touchedKeyCount + inUseKeyCount
        if kept > 0 { lines.append("  \(kept) keys stay, because they are in use: written since") }
        if missingKeyCount > 0 { lines.append("  \(missingKeyCount) keys had gone by themselves") }
        if !examples.isEmpty {
            let more = selectedKeyCount > examples.count ? ", ..." : ""
            lines.append("  keys: " + examples.map(\.shown).joined(separator: ", ") + more)
        }
        if let newCheckpoint {
            lines.append("checkpoint \(newCheckpoint) is the first one without them")
        }
        if let tombstones {
            lines.append(
                "what was selected is in \(tombstones): apus state undo --live brings it back"
            )
        }
        if removedKeyCount == 0 { lines.append("nothing was changed") }
        return lines.joined(separator: "\n")
    }
}
