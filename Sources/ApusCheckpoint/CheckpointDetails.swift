/// One checkpoint, as `apus checkpoint show` shows it.
package struct CheckpointDetails: Codable, Equatable, Sendable {
    /// The folder's path.
    package let folder: String
    /// What the checkpoint holds.
    package let manifest: Manifest
    /// The bytes of all its files.
    package let byteCount: Int
    /// The bytes of the files that the checkpoint before it has too; all are new when that one is
    /// gone, and then ``isPreviousKnown`` is false.
    package let sharedByteCount: Int
    /// Whether the checkpoint before it could be read for the comparison.
    package let isPreviousKnown: Bool
    /// What is wrong with names and lengths of its files.
    package let problems: [String]

    /// The bytes of the files that came with this checkpoint.
    package var newByteCount: Int { byteCount - sharedByteCount }

    /// Looks at a checkpoint.
    ///
    /// - Parameters:
    ///   - number: The checkpoint's number; nil stands for the one that `CURRENT` names.
    ///   - folder: Open for reading or writing.
    /// - Throws: ``CheckpointError`` when there is none, or its manifest is damaged.
    package init(_ number: UInt64?, in folder: CheckpointFolder) throws(CheckpointError) {
        self.folder = folder.path
        if let number {
            manifest = try folder.manifest(number)
        } else {
            manifest = try folder.manifest(folder.currentNumber())
        }
        problems = try folder.reader.lengthProblems(manifest)
        byteCount = manifest.byteCount
        var previous: Set<String>?
        if let number = manifest.previousNumber,
            case .found(let manifest, _) = try folder.reader.manifest(number, of: folder.record)
        {
            previous = manifest.contentNames
        }
        isPreviousKnown = previous != nil || manifest.previousNumber == nil
        let shared = manifest.files.filter { previous?.contains($0.contentName) ?? false }
        sharedByteCount =
            Dictionary(shared.map { ($0.contentName, $0.byteCount) }) { a, _ in a }
            .values.cappedSum
    }

    /// Some paragraphs for people.
    package var text: String {
        var lines = [
            "\(manifest.kind.rawValue) \(manifest.number) of job '\(manifest.job)', \(folder)",
            "created   \(CheckpointListing.time(manifest.createdMicroseconds)) by Apus "
                + manifest.writerVersion,
            "history   " + (manifest.previousNumber.map { "goes on from \($0)" } ?? "the first one")
                + (manifest.isFinal ? "; final: the input had ended" : ""),
            "layout    \(manifest.maxParallelism) key groups, parallelism \(manifest.parallelism)",
            "size      \(ByteText.format(byteCount)) in "
                + "\(ByteText.files(manifest.contentNames.count)): \(sharing)",
        ]
        lines += problems.map { "DAMAGED   \($0)" }
        if !manifest.operators.isEmpty { lines += ["", "OPERATORS"] + operatorLines }
        if !manifest.sources.isEmpty { lines += ["", "SOURCES"] + sourceLines }
        if !manifest.sinks.isEmpty { lines += ["", "SINKS"] + sinkLines }
        if !manifest.inFlight.isEmpty {
            lines += ["", "IN FLIGHT"]
            lines += manifest.inFlight.map { "  \($0.node)[\($0.subtask)]: \($0.contentName)" }
        }
        if !manifest.files.isEmpty { lines += ["", "FILES", fileTable] }
        return lines.joined(separator: "\n")
    }

    private var sharing: String {
        guard isPreviousKnown else { return "what is new cannot be told, the one before is gone" }
        return "\(ByteText.format(newByteCount)) new, \(ByteText.format(sharedByteCount)) shared"
    }

    private var operatorLines: [String] {
        manifest.operators.flatMap { element in
            let plugin = element.plugin.map { ": \($0.component) of \($0.fileName)" } ?? ""
            let keyCount = element.subtasks.map(\.keyCount).cappedSum
            let byteCount = element.subtasks.map(\.byteCount).cappedSum
            var lines = ["  \(element.id) (number \(element.number))\(plugin)"]
            if let plugin = element.plugin { lines.append("    plugin hash \(plugin.contentHash)") }
            lines += element.states.map { state in
                "    state \(state.name): \(state.kind), schema version \(state.schemaVersion)"
                    + (state.fixedByteCount.map { ", \($0) bytes each" } ?? "")
                    + (state.schema.isEmpty ? "" : ", \(state.schema)")
            }
            lines += (element.broadcast?.maps ?? []).map { map in
                "    broadcast state \(map.name): \(map.entryCount) entries, schema version "
                    + "\(map.schemaVersion)" + (map.schema.isEmpty ? "" : ", \(map.schema)")
            }
            lines += (element.operatorState?.lists ?? []).map { list in
                "    operator state \(list.name): \(list.redistribution), \(list.itemCount) items, "
                    + "schema version \(list.schemaVersion)"
                    + (list.schema.isEmpty ? "" : ", \(list.schema)")
            }
            lines += element.timers.map { "    timer \($0.name): \($0.domain) time" }
            let marks = element.subtasks.compactMap(\.watermarkMicroseconds)
            lines.append(
                "    \(element.subtasks.count) subtasks, \(keyCount) keys, "
                    + ByteText.format(byteCount)
                    + (marks.min().map { ", watermark \(Self.watermark($0))" } ?? "")
            )
            return lines
        }
    }

    private var sourceLines: [String] {
        manifest.sources.map { source in
            "  \(source.id)[\(source.subtask) of \(source.subtaskCount)]: \(source.kind), "
                + "position of \(source.position.count) bytes"
                + (source.newestMicroseconds.map { ", newest \(Self.watermark($0))" } ?? "")
                + (source.watermarkMicroseconds.map { ", watermark \(Self.watermark($0))" } ?? "")
        }
    }

    private var sinkLines: [String] {
        manifest.sinks.map { sink in
            let epochs = sink.undelivered.map { String($0.epoch) }.joined(separator: ", ")
            return "  \(sink.id)[\(sink.subtask)]: position of \(sink.position.count) bytes, "
                + (epochs.isEmpty ? "all delivered" : "to deliver: epochs \(epochs)")
        }
    }

    private var fileTable: String {
        let rows = manifest.files.map { file in
            ["  " + file.role.rawValue, file.logicalName, String(file.byteCount), file.contentName]
        }
        return TextTable.format(
            [["  ROLE", "NAME", "BYTES", "FILE"]] + rows,
            rightAligned: [2]
        )
    }

    /// An event time, or what stands for none and for the end.
    private static func watermark(_ microseconds: Int64) -> String {
        switch microseconds {
        case .max: "at the end"
        case .min: "before all"
        default: CheckpointListing.time(microseconds)
        }
    }
}

extension CheckpointFolder {
    /// The number that `CURRENT` names, whether or not that checkpoint is whole.
    ///
    /// - Throws: ``CheckpointError`` when there is none, or `CURRENT` is damaged.
    package func currentNumber() throws(CheckpointError) -> UInt64 {
        switch try reader.read(CurrentRecord.self, at: layout.current) {
        case .found(let current, _): return current.number
        case .missing:
            throw CheckpointError(
                .noSuchCheckpoint,
                "\(layout.root): there is no complete checkpoint"
            )
        case .damaged(let reason):
            throw CheckpointError(
                .damaged,
                "\(layout.current): damaged: \(reason); say which checkpoint you mean"
            )
        }
    }
}
