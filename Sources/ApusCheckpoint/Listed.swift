/// A checkpoint as a list shows it.
package struct Listed: Codable, Equatable, Sendable {
    /// Its number.
    package let number: UInt64
    /// Who decides how long it stays; nil when that cannot be read.
    package let kind: Manifest.Kind?
    /// When its barrier was sent, in microseconds since 1970; nil when that cannot be read.
    package let createdMicroseconds: Int64?
    /// The bytes of all its files.
    package let byteCount: Int
    /// The number of its files.
    package let fileCount: Int
    /// Whether the job's input had ended.
    package let isFinal: Bool
    /// Whether `CURRENT` names it.
    package let isCurrent: Bool
    /// Whether it was given up, or the job was set back behind it.
    package let isAbandoned: Bool
    /// Why it cannot be used; nil when manifest, names and lengths are right.
    package let problem: String?

    /// Whether manifest, names and lengths are right; the bytes may still be damaged.
    package var isComplete: Bool { problem == nil }
}

extension CheckpointFolder {
    /// All checkpoints that have a manifest, damaged ones too, oldest first.
    ///
    /// Names and lengths of files are checked, their bytes are not: see ``verify(_:)``.
    ///
    /// - Returns: An element for each number.
    /// - Throws: ``CheckpointError`` when the disk refuses to read.
    package func list() throws(CheckpointError) -> [Listed] {
        var current: UInt64?
        if case .found(let record, _) = try orNil({ () throws(CheckpointError) in
            try reader.read(CurrentRecord.self, at: layout.current)
        }) {
            current = record.number
        }
        var history = History()
        var found: [(number: UInt64, manifest: Manifest?, kind: Manifest.Kind?, problem: String?)]
        found = []
        for number in try reader.manifestNumbers() {
            do throws(CheckpointError) {
                switch try reader.manifest(number, of: record) {
                // It has gone since the folder was listed.
                case .missing: continue
                case .damaged(let damage):
                    found.append((number, nil, damage.kind, "its manifest: \(damage.reason)"))
                case .found(let manifest, _):
                    history.add(manifest)
                    let problem = try reader.lengthProblems(manifest).first
                    found.append((number, manifest, manifest.kind, problem))
                }
            } catch {
                guard error.kind == .newerFormat else { throw error }
                found.append((number, nil, nil, "its manifest was written by a newer Apus"))
            }
        }
        return found.map { number, manifest, kind, problem in
            Listed(
                number: number,
                kind: kind,
                createdMicroseconds: manifest?.createdMicroseconds,
                byteCount: manifest?.byteCount ?? 0,
                fileCount: manifest?.contentNames.count ?? 0,
                isFinal: manifest?.isFinal ?? false,
                isCurrent: number == current,
                isAbandoned: history.isAbandoned(number),
                problem: problem
            )
        }
    }

    /// The result, or nil when a newer Apus wrote what was to be read.
    private func orNil<Value>(
        _ read: () throws(CheckpointError) -> Value
    ) throws(CheckpointError) -> Value? {
        do throws(CheckpointError) {
            return try read()
        } catch {
            guard error.kind == .newerFormat else { throw error }
            return nil
        }
    }
}
