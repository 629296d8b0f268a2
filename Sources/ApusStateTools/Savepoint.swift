package import ApusCheckpoint
package import ApusCore

/// A savepoint on the disk; see ``SavepointDocument`` and ``SavepointFormat``.
package struct Savepoint {
    /// A state file.
    struct Part {
        let operatorNumber: UInt16
        let part: Int
        let file: FileEntry
    }

    /// The folder.
    package let path: String
    /// What it says of the job.
    package let manifest: Manifest
    /// Its state files, by operator, each one's parts in their order.
    let parts: [Part]
    private let disk: any Disk

    /// Reads the manifest of a savepoint; its files are read by ``verify(_:)``.
    ///
    /// - Parameters:
    ///   - path: The savepoint's folder.
    ///   - disk: The seam to files.
    /// - Throws: ``StateToolError``: there is no savepoint, or its manifest is damaged.
    package init(_ path: String, disk: any Disk) throws(StateToolError) {
        let name = path + "/" + SavepointFormat.manifestName
        guard try StateToolError.onDisk(try disk.status(name)) != nil else {
            throw StateToolError(
                .input,
                "\(path): there is no savepoint: expected a folder with the file "
                    + "\(SavepointFormat.manifestName), as `apus savepoint create` makes it; a "
                    + "checkpoint of the job's own folder goes by its number, as in --from 3"
            )
        }
        let bytes = try StateToolError.onDisk(
            try disk.readAll(name, maximumByteCount: SavepointDocument.byteCountMax)
        )
        manifest = try SavepointDocument.decode(bytes, name)
        self.path = path
        self.disk = disk
        do throws(Problem) {
            parts = try Self.check(manifest)
        } catch {
            throw StateToolError(.input, "\(name): damaged: \(error.text)")
        }
    }

    /// The path of a file.
    func path(of file: FileEntry) -> String { path + "/" + file.logicalName }

    /// Reads and checks all files.
    ///
    /// - Parameter body: Called with each entry of state and its operator, once its block was
    ///   found good; the files as a whole are checked when this returns.
    /// - Throws: ``StateToolError`` that names the file and the place, and what `body` throws.
    package func verify(
        _ body: (UInt16, StateEntry) throws(StateToolError) -> Void
    ) throws(StateToolError) {
        var last: [UInt8] = []
        for part in parts {
            if part.part == 0 { last = [] }
            var reader = try SavepointPartReader(path(of: part.file), disk: disk)
            let found = try reader.read(
                operatorNumber: part.operatorNumber,
                part: part.part,
                checkpoint: manifest.number,
                behind: &last
            ) { (entry) throws(StateToolError) in try body(part.operatorNumber, entry) }
            try compare(part.file, found)
        }
        for file in manifest.files where file.role != .state {
            guard try StateToolError.onDisk(try disk.status(path(of: file))) != nil else {
                throw StateToolError(.input, "\(path(of: file)): missing")
            }
            try compare(file, try FilePieces.read(path(of: file), disk: disk))
        }
    }

    private func compare(
        _ file: FileEntry,
        _ found: (byteCount: Int, hash: String)
    ) throws(StateToolError) {
        guard found.byteCount == file.byteCount, found.hash == file.hash else {
            throw StateToolError(
                .input,
                "\(path(of: file)): damaged: expected \(file.byteCount) bytes with the hash "
                    + "\(file.hash), found \(found.byteCount) with \(found.hash)"
            )
        }
    }

    // MARK: - The manifest in itself

    private struct Problem: Error {
        let text: String
    }

    private static func check(_ manifest: Manifest) throws(Problem) -> [Part] {
        guard (1...32_768).contains(manifest.maxParallelism), manifest.number < 1 << 62 else {
            throw Problem(text: "its max-parallelism or its number is out of bounds")
        }
        var names: Set<String> = []
        for file in manifest.files {
            let isName =
                !file.logicalName.isEmpty && file.logicalName != SavepointFormat.manifestName
                && !file.logicalName.hasPrefix(".")
                && file.logicalName.utf8.allSatisfy { $0 != UInt8(ascii: "/") && $0 > 0x20 }
            guard isName, names.insert(file.logicalName).inserted else {
                throw Problem(text: "'\(file.logicalName)' is no name of a file, or there twice")
            }
            guard file.contentName == "\(file.hash)-\(file.byteCount)" else {
                throw Problem(text: "the content name of '\(file.logicalName)' is wrong")
            }
        }
        let listed = Set(manifest.files.filter { $0.role != .state }.map(\.contentName))
        let used =
            manifest.sinks.flatMap { $0.undelivered.map(\.contentName) }
            + manifest.inFlight.map(\.contentName)
            + manifest.operators.flatMap(\.ownContentNames)
        if let missing = used.first(where: { !listed.contains($0) }) {
            throw Problem(text: "it uses the file \(missing), which is not among its files")
        }
        return try parts(manifest)
    }

    private static func parts(_ manifest: Manifest) throws(Problem) -> [Part] {
        var files: [String: FileEntry] = [:]
        for file in manifest.files where file.role == .state { files[file.logicalName] = file }
        var parts: [Part] = []
        for state in manifest.operators.sorted(by: { $0.number < $1.number }) {
            var part = 0
            while let file = files.removeValue(
                forKey: SavepointFormat.fileName(operatorNumber: state.number, part: part)
            ) {
                parts.append(Part(operatorNumber: state.number, part: part, file: file))
                part += 1
            }
        }
        if let other = files.keys.min() {
            throw Problem(text: "the state file '\(other)' is of no operator, or a part is missing")
        }
        return parts
    }
}
