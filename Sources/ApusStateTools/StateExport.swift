import ApusCheckpoint
package import ApusCore
import ApusState

/// Writes state as lines of text; see ``ExportLine`` for the format.
package final class StateExport {
    private let file: any WritableFile
    private let directory: OperatorDirectory
    private var buffer: [UInt8] = []
    /// How many lines were written, without the first.
    package private(set) var lineCount = 0

    /// Begins an export.
    ///
    /// - Parameters:
    ///   - reader: The checkpoint's state.
    ///   - what: What is exported, for people.
    ///   - file: Where the lines go.
    /// - Throws: ``StateToolError`` when the disk refuses.
    package convenience init(
        _ reader: StateSnapshotReader,
        what: String,
        to file: any WritableFile
    ) throws(StateToolError) {
        try self.init(reader.manifest, what: what, to: file)
    }

    init(
        _ manifest: Manifest,
        what: String,
        to file: any WritableFile
    ) throws(StateToolError) {
        self.file = file
        directory = OperatorDirectory(manifest)
        var head = ExportLine()
        head.apusStateExport = ExportLine.version
        head.job = manifest.job
        head.checkpoint = manifest.number
        head.maxParallelism = manifest.maxParallelism
        head.what = what
        try add(head)
    }

    /// Writes what a key has.
    ///
    /// - Parameters:
    ///   - content: The key.
    ///   - slot: The slot to export, without timers; nil for everything.
    /// - Throws: ``StateToolError`` when the disk refuses.
    package func add(_ content: KeyContent, slot: Int? = nil) throws(StateToolError) {
        for line in ExportLine.lines(content, directory, slot: slot) {
            try add(line)
            lineCount += 1
        }
    }

    /// Writes broadcast state.
    ///
    /// - Parameters:
    ///   - content: The broadcast state of an operator.
    ///   - state: The map to export; nil for all.
    /// - Throws: ``StateToolError`` when the disk refuses.
    package func add(
        _ content: BroadcastContent,
        state: String? = nil
    ) throws(StateToolError) {
        for map in content.maps where state == nil || state == map.name {
            for entry in map.entries {
                var line = ExportLine()
                line.operator = content.operator
                line.state = map.name
                line.kind = "broadcast"
                line.schemaVersion = UInt16(clamping: map.schemaVersion)
                ExportLine.set(entry.key, &line.mapKey, &line.mapKeyHex)
                ExportLine.set(entry.value, &line.value, &line.valueHex)
                try add(line)
                lineCount += 1
            }
        }
    }

    /// Writes operator state.
    ///
    /// - Parameters:
    ///   - content: The operator state of an operator.
    ///   - state: The list to export; nil for all.
    /// - Throws: ``StateToolError`` when the disk refuses.
    package func add(
        _ content: OperatorStateContent,
        state: String? = nil
    ) throws(StateToolError) {
        for list in content.lists where state == nil || state == list.name {
            for (subtask, items) in list.subtasks.enumerated() {
                for (index, item) in items.enumerated() {
                    var line = ExportLine()
                    line.operator = content.operator
                    line.state = list.name
                    line.kind = "operator"
                    line.schemaVersion = UInt16(clamping: list.schemaVersion)
                    line.subtask = subtask
                    line.index = index
                    ExportLine.set(item, &line.value, &line.valueHex)
                    try add(line)
                    lineCount += 1
                }
            }
        }
    }

    /// Writes the last line and closes the file.
    ///
    /// - Parameter isDurable: Whether to wait until it is on the disk.
    /// - Throws: ``StateToolError`` when the disk refuses.
    package func finish(isDurable: Bool) throws(StateToolError) {
        var end = ExportLine()
        end.apusStateExportEnd = lineCount
        try add(end)
        try flush()
        if isDurable { try StateToolError.onDisk(try file.synchronize()) }
        try StateToolError.onDisk(try file.close())
    }

    private func add(_ line: ExportLine) throws(StateToolError) {
        buffer += line.json.utf8
        buffer.append(10)
        if buffer.count >= 1 << 18 { try flush() }
    }

    private func flush() throws(StateToolError) {
        try StateToolError.onDisk(try file.writeBytes(buffer))
        buffer.removeAll(keepingCapacity: true)
    }
}
