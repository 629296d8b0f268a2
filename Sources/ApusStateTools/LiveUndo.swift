import ApusCheckpoint
package import ApusCore
package import ApusState

/// Puts back what a purge has removed into a running job: `apus state undo --live`.
///
/// The file is read twice: all of it is checked before the job is told of the first key.
package struct LiveUndo {
    /// What keys of one operator had.
    package struct Chunk: Sendable {
        /// The operator's id.
        package let operatorName: String
        /// Whether the keys had nothing else.
        package let isWhole: Bool
        /// The keys.
        package internal(set) var keys: [Key] = []
        /// The bytes of all that they had.
        var byteCount = 0
    }

    /// What a key had.
    package struct Key: Sendable {
        /// The key.
        package let key: [UInt8]
        /// Its values by the names of the states.
        package internal(set) var values: [String: [UInt8]] = [:]
        /// Its counters.
        package internal(set) var counters: [String: Int64] = [:]
        /// Its lists.
        package internal(set) var lists: [String: [[UInt8]]] = [:]
        /// Its maps.
        package internal(set) var maps: [String: [(key: [UInt8], value: [UInt8])]] = [:]
        /// Its timers with their names.
        package internal(set) var timers: [(name: String, timer: StoredRow.Timer)] = []
        var byteCount = 0
    }

    /// What became of keys.
    package struct Counts: Sendable {
        /// Keys that are there again.
        package var restored: Int
        /// Keys that have something now, and stay as they are.
        package var occupied: Int
        /// Keys that do not fit what the operator declares.
        package var unfit: Int

        /// Creates counts.
        package init(restored: Int, occupied: Int, unfit: Int) {
            self.restored = restored
            self.occupied = occupied
            self.unfit = unfit
        }
    }

    /// The most keys of a chunk, and about how many bytes they may have together.
    static let chunkKeyCount = 1000
    static let chunkByteCount = 1 << 20
    /// What a request may hold, less what its form costs.
    static let keyByteCountMax = 10 << 20

    private let path: String
    private let disk: any Disk
    private let progress: (String) -> Void

    /// Creates an undo.
    ///
    /// - Parameters:
    ///   - path: The file that a purge has written.
    ///   - disk: The seam to files.
    ///   - progress: Gets a sentence after each chunk.
    package init(_ path: String, disk: any Disk, progress: @escaping (String) -> Void) {
        self.path = path
        self.disk = disk
        self.progress = progress
    }

    /// Checks the file, then has the job put the keys back.
    ///
    /// - Parameters:
    ///   - reader: A checkpoint that the job has just taken: what its operators declare.
    ///   - isDryRun: Whether to check and count only.
    ///   - restore: Has the job put a chunk back.
    /// - Returns: The counts.
    /// - Throws: ``StateToolError`` that names the line that is wrong: nothing was changed; and
    ///   what `restore` throws.
    package func run(
        _ reader: StateSnapshotReader,
        isDryRun: Bool,
        restore: (Chunk) throws -> Counts
    ) throws -> LiveUndoReport {
        var report = LiveUndoReport(checkpoint: reader.manifest.number, file: path)
        report.isDryRun = isDryRun
        let isWhole = try read(reader) { key, number in
            report.keyCount += 1
            let content = try reader.content(of: key.key, operatorNumber: number)
            if content == nil { report.absentKeyCount += 1 }
        }
        guard !isDryRun else { return report }
        var waiting: Chunk?
        func send(_ chunk: Chunk) throws {
            let before = report.handledKeyCount
            report.add(try restore(chunk))
            let now = report.handledKeyCount
            let step = LivePurge.progressKeyCount
            if before / step != now / step { progress("\(now) of \(report.keyCount) keys") }
        }
        _ = try read(reader) { key, number in
            let name = reader.directory.name(number)
            if let chunk = waiting,
                chunk.operatorName != name || chunk.keys.count >= Self.chunkKeyCount
                    || chunk.byteCount + key.byteCount > Self.chunkByteCount
            {
                try send(chunk)
                waiting = nil
            }
            var chunk = waiting ?? Chunk(operatorName: name, isWhole: isWhole)
            chunk.keys.append(key)
            chunk.byteCount += key.byteCount
            waiting = chunk
        }
        if let waiting { try send(waiting) }
        return report
    }

    /// Reads the file key by key.
    ///
    /// - Returns: Whether the keys are whole, and not a state of them.
    private func read(
        _ reader: StateSnapshotReader,
        _ body: (Key, UInt16) throws -> Void
    ) throws -> Bool {
        let file = try ExportReader(path, needsHead: true, disk: disk)
        let manifest = reader.manifest
        if let job = file.head?.job, job != manifest.job {
            throw StateToolError(
                .input,
                "\(path): has state of the job '\(job)', and the running job is '\(manifest.job)'"
            )
        }
        var waiting: (key: Key, number: UInt16)?
        while let line = try file.next() {
            do {
                let found = try line.item(reader.directory)
                if let current = waiting,
                    current.key.key != found.key || current.number != found.operatorNumber
                {
                    try body(current.key, current.number)
                    waiting = nil
                }
                var key = waiting?.key ?? Key(key: found.key, byteCount: found.key.count)
                waiting = nil
                try key.add(found.item, found.operatorNumber, reader.directory)
                waiting = (key, found.operatorNumber)
            } catch let error as StateToolError where error.kind == .input {
                throw StateToolError(.input, "\(file.place): \(error.description)")
            }
        }
        if let waiting { try body(waiting.key, waiting.number) }
        return file.head?.what?.hasPrefix(StatePurge.Selection.ofState) != true
    }
}

extension LiveUndo.Key {
    init(key: [UInt8], byteCount: Int) {
        self.key = key
        self.byteCount = byteCount
    }

    /// Adds a line.
    mutating func add(
        _ item: ExportLine.Item,
        _ number: UInt16,
        _ directory: OperatorDirectory
    ) throws(StateToolError) {
        switch item {
        case .value(let slot, let version, let bytes):
            try check(slot, version, number, directory)
            byteCount += bytes.count
            let name = directory.slotName(number, slot)
            if directory.kind(number, slot) == .counter {
                counters[name] = BigEndian.integer(bytes)
            } else {
                values[name] = bytes
            }
        case .element(let slot, let version, let index, let bytes):
            try check(slot, version, number, directory)
            byteCount += bytes.count + 8
            let name = directory.slotName(number, slot)
            let count = lists[name]?.count ?? 0
            guard index == count else {
                throw StateToolError(
                    .input,
                    "expected index \(count) of the list '\(name)', found \(index); the lines "
                        + "of a list follow each other, from index 0 on"
                )
            }
            lists[name, default: []].append(bytes)
        case .entry(let slot, let version, let mapKey, let bytes):
            try check(slot, version, number, directory)
            byteCount += mapKey.count + bytes.count + 16
            maps[directory.slotName(number, slot), default: []].append((mapKey, bytes))
        case .timer(let timer):
            byteCount += timer.payload.count + 32
            timers.append((directory.timerName(number, timer.name), timer))
        }
        guard byteCount <= LiveUndo.keyByteCountMax else {
            throw StateToolError(
                .input,
                "the key \(ByteText.shown(key, byteCountMax: 64)) has more than "
                    + "\(LiveUndo.keyByteCountMax) bytes, the most that a running job takes; stop "
                    + "the job and bring it back without --live"
            )
        }
    }

    /// Checks that the running operator understands what it gets back.
    private func check(
        _ slot: Int,
        _ version: UInt16?,
        _ number: UInt16,
        _ directory: OperatorDirectory
    ) throws(StateToolError) {
        guard let declared = directory.declaration(number, slot) else {
            throw StateToolError(
                .input,
                "operator '\(directory.name(number))' of the running job does not declare "
                    + "'\(directory.slotName(number, slot))'"
            )
        }
        guard let version, Int(version) != declared.schemaVersion else { return }
        throw StateToolError(
            .input,
            "state '\(declared.name)' has schema version \(version) here, and the running operator "
                + "has \(declared.schemaVersion); bring it back with the plugin that wrote it"
        )
    }
}
