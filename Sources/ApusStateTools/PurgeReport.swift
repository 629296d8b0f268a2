import ApusCheckpoint

/// What a purge removed, or would remove.
package struct PurgeReport: Encodable, Equatable, Sendable {
    /// How many keys that go are named.
    private static let exampleCount = 10

    /// The checkpoint that it goes on from.
    package let checkpoint: UInt64
    /// What was asked for.
    package let expression: String
    /// Whether nothing was done.
    package internal(set) var isDryRun = true
    /// How many keys were looked at.
    package internal(set) var scannedKeyCount = 0
    /// How many keys were selected.
    package private(set) var keyCount = 0
    /// Values, entries, elements and timers that go.
    package private(set) var entryCount = 0
    /// Their bytes, before compression.
    package private(set) var byteCount = 0
    /// How many keys were selected, by operator.
    package private(set) var keyCountByOperator: [String: Int] = [:]
    /// The first of the keys.
    package private(set) var examples: [KeyReport.Bytes] = []
    /// The new checkpoint; nil when there is none.
    package internal(set) var newCheckpoint: UInt64?
    /// The file with what was removed.
    package internal(set) var tombstones: String?

    private let directory: OperatorDirectory
    private let stateName: String?

    enum CodingKeys: String, CodingKey {
        case checkpoint
        case expression
        case isDryRun
        case scannedKeyCount
        case keyCount
        case entryCount
        case byteCount
        case keyCountByOperator
        case examples
        case newCheckpoint
        case tombstones
    }

    init(_ manifest: Manifest, _ selection: StatePurge.Selection) {
        checkpoint = manifest.number
        expression = selection.expression
        stateName = selection.stateName
        directory = OperatorDirectory(manifest)
    }

    // doc: inherited
    package static func == (left: PurgeReport, right: PurgeReport) -> Bool {
        left.text == right.text
    }

    mutating func add(_ key: KeySummary, slot: Int?) {
        keyCount += 1
        if let slot {
            entryCount += key.slots[slot]?.entryCount ?? 0
            byteCount += key.slots[slot]?.byteCount ?? 0
        } else {
            entryCount += key.entryCount
            byteCount += key.byteCount
        }
        keyCountByOperator[directory.name(key.operatorNumber), default: 0] += 1
        if examples.count < Self.exampleCount { examples.append(KeyReport.Bytes(key.key)) }
    }

    /// The report as text.
    package var text: String {
        let what = stateName.map { "state '\($0)' of " } ?? ""
        var lines = [
            (isDryRun ? "would remove" : "removed")
                + " \(what)\(keyCount) of \(scannedKeyCount) keys "
                + "of checkpoint \(checkpoint): \(entryCount) entries, \(SizeText.text(byteCount)) "
                + "before compression"
        ]
        for (name, count) in keyCountByOperator.sorted(by: { $0.key < $1.key }) {
            lines.append("  \(name): \(count) keys")
        }
        if !examples.isEmpty {
            let more = keyCount > examples.count ? ", ..." : ""
            lines.append("  keys: " + examples.map(\.shown).joined(separator: ", ") + more)
        }
        if let newCheckpoint, let tombstones {
            lines.append("the result is checkpoint \(newCheckpoint), which the job goes on from")
            lines.append("what was removed is in \(tombstones): apus state undo brings it back")
        } else if isDryRun, keyCount > 0 {
            lines.append("nothing was changed: this is a dry run; --yes does it")
        } else {
            lines.append("nothing was changed")
        }
        return lines.joined(separator: "\n")
    }
}
