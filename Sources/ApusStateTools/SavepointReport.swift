import ApusCheckpoint
import ApusState

/// What a savepoint holds: `apus savepoint inspect`; all of it was verified.
package struct SavepointReport: Encodable, Equatable, Sendable {
    /// A state.
    package struct State: Encodable, Equatable, Sendable {
        /// Its name.
        package let name: String
        /// Its kind.
        package let kind: String
        /// The schema version that the operator declares.
        package let schemaVersion: Int
        /// How many keys have it.
        package internal(set) var keyCount = 0
        /// How many entries it has; only of broadcast and operator state.
        package var entryCount: Int?
    }

    /// An operator.
    package struct Operator: Encodable, Equatable, Sendable {
        /// Its id.
        package let id: String
        /// Its number.
        package let number: UInt16
        /// The plugin that wrote the state.
        package let plugin: String?
        /// Its states, in the order of their slots.
        package internal(set) var states: [State]
        /// How many keys there are.
        package internal(set) var keyCount = 0
        /// How many timers are armed.
        package internal(set) var timerCount = 0
        /// Entries of the database.
        package internal(set) var entryCount = 0
        /// Their bytes.
        package internal(set) var byteCount = 0
    }

    /// A subtask of a source.
    package struct Source: Encodable, Equatable, Sendable {
        /// The source.
        package let id: String
        /// Its kind.
        package let kind: String
        /// The subtask.
        package let subtask: Int
        /// Where it was; its own.
        package let position: KeyReport.Bytes
        /// Its watermark; RFC 3339.
        package let watermark: String?
    }

    /// The job.
    package let job: String
    /// The checkpoint that it was made of.
    package let checkpoint: UInt64
    /// When that was taken; RFC 3339.
    package let created: String
    /// The version of Apus that wrote it.
    package let writerVersion: String
    /// The number of key groups.
    package let maxParallelism: Int
    /// The number of subtasks of keyed operators.
    package let parallelism: Int
    /// Whether the job's input had ended.
    package let isFinal: Bool
    /// The operators.
    package private(set) var operators: [Operator]
    /// The sources.
    package let sources: [Source]
    /// Logs of output that may not have been delivered, by sink.
    package let undeliveredLogCounts: [String: Int]
    /// Logs of records in flight.
    package let inFlightLogCount: Int
    /// The bytes of its files without the manifest.
    package let byteCount: Int

    /// Reads and checks all of a savepoint.
    ///
    /// - Parameter savepoint: The savepoint.
    /// - Throws: ``StateToolError`` that says what is damaged.
    package init(_ savepoint: Savepoint) throws(StateToolError) {
        let manifest = savepoint.manifest
        job = manifest.job
        checkpoint = manifest.number
        created = TimeText.text(microseconds: manifest.createdMicroseconds)
        writerVersion = manifest.writerVersion
        maxParallelism = manifest.maxParallelism
        parallelism = manifest.parallelism
        isFinal = manifest.isFinal
        sources = manifest.sources.map { source in
            Source(
                id: source.id,
                kind: source.kind,
                subtask: source.subtask,
                position: KeyReport.Bytes(source.position),
                watermark: source.watermarkMicroseconds.map { TimeText.text(microseconds: $0) }
            )
        }
        let undelivered = manifest.sinks.filter { !$0.undelivered.isEmpty }
        undeliveredLogCounts = Dictionary(
            undelivered.map { ($0.id, $0.undelivered.count) },
            uniquingKeysWith: +
        )
        inFlightLogCount = manifest.inFlight.count
        byteCount = manifest.files.reduce(0) { $0 + $1.byteCount }
        var found: [UInt16: Operator] = [:]
        for state in manifest.operators { found[state.number] = Self.make(state) }
        try savepoint.verify { (number, entry) throws(StateToolError) in
            guard var current = found[number], current.add(entry) else {
                throw StateToolError(
                    .input,
                    "\(savepoint.path): the entry 0x\(ByteText.hexadecimal(entry.key)) is not what "
                        + "this version writes; the file was changed"
                )
            }
            found[number] = current
        }
        operators = found.values.sorted { $0.number < $1.number }
    }

    private static func make(_ state: OperatorState) -> Operator {
        Operator(
            id: state.id,
            number: state.number,
            plugin: state.plugin?.fileName,
            states: state.states.map {
                State(name: $0.name, kind: $0.kind, schemaVersion: $0.schemaVersion)
            }
                + (state.broadcast?.maps ?? []).map {
                    State(
                        name: $0.name,
                        kind: "broadcast",
                        schemaVersion: $0.schemaVersion,
                        entryCount: $0.entryCount
                    )
                }
                + (state.operatorState?.lists ?? []).map {
                    State(
                        name: $0.name,
                        kind: "operator",
                        schemaVersion: $0.schemaVersion,
                        entryCount: $0.itemCount
                    )
                }
        )
    }

    /// The report as text.
    package var text: String {
        var lines = [
            "job '\(job)', savepoint of checkpoint \(checkpoint), \(created), written by Apus "
                + "\(writerVersion); all files are as they were written",
            "\(maxParallelism) key groups, parallelism \(parallelism), "
                + SizeText.text(byteCount) + (isFinal ? ", its input had ended" : ""),
        ]
        var table = TextTable(
            ["OPERATOR", "STATE", "KIND", "SCHEMA", "KEYS", "TIMERS", "ENTRIES", "BYTES"],
            right: [3, 4, 5, 6, 7]
        )
        for found in operators {
            table.add([
                found.id, "(all)", "", "", String(found.keyCount), String(found.timerCount),
                String(found.entryCount), String(found.byteCount),
            ])
            for state in found.states {
                table.add([
                    found.id, state.name, state.kind, String(state.schemaVersion),
                    state.entryCount == nil ? String(state.keyCount) : "", "",
                    state.entryCount.map(String.init) ?? "", "",
                ])
            }
        }
        lines += table.lines
        for source in sources {
            lines.append(
                "source \(source.id) (\(source.kind)) subtask \(source.subtask): position "
                    + source.position.shown
                    + (source.watermark.map { ", watermark \($0)" } ?? "")
            )
        }
        for (id, count) in undeliveredLogCounts.sorted(by: { $0.key < $1.key }) {
            lines.append("sink \(id): \(count) logs of output that may not have been delivered")
        }
        if inFlightLogCount > 0 { lines.append("\(inFlightLogCount) logs of records in flight") }
        return lines.joined(separator: "\n")
    }
}

extension SavepointReport.Operator {
    /// Counts an entry; false when it is damaged.
    fileprivate mutating func add(_ entry: StateEntry) -> Bool {
        guard let key = StoredKey(entry.key) else { return false }
        entryCount += 1
        byteCount += entry.key.count + entry.value.count
        guard case .row = key else { return true }
        guard let row = StoredRow(entry.value) else { return false }
        keyCount += 1
        timerCount += row.timers.count
        for value in row.values where states.indices.contains(value.slot) {
            states[value.slot].keyCount += 1
        }
        return true
    }
}
