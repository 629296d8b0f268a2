import ApusCore
import Glibc
import Synchronization

@testable import ApusIO

/// Files in memory that fail, crash and lose power where a test says so.
///
/// Each call that changes something is an operation.  A crash ends all operations, keeps what is
/// there, and may leave a write half done; a power cut afterwards drops what was not synchronised.
/// Folders are there when something is in them.
final class MemoryDisk: Disk {
    private final class Node {
        var bytes: [UInt8] = []
        /// What is on the disk.
        var durable: [UInt8] = []
    }

    private struct State {
        var names: [String: Node] = [:]
        var durableNames: [String: Node] = [:]
        /// The old name of what was renamed, by the new one, until its folder is synchronised.
        var renames: [String: String] = [:]
        var operationCount = 0
        var writeCount = 0
        var crashesAt = Int.max
        var isDown = false
        /// The writes that fail, and how many bytes of them are written before.
        var failingWrites: [Int: Int] = [:]
        var random = SplitMix64(seed: 1)
    }

    // Nodes are only touched inside of the lock.
    private struct Box: @unchecked Sendable {  // because the mutex guards all there is in it.
        var state = State()
    }

    private let box = Mutex(Box())

    private func with<Value: Sendable>(
        _ body: (inout State) throws(DiskError) -> Value
    ) throws(DiskError) -> Value {
        try box.withLock { box throws(DiskError) in
            guard !box.state.isDown else { throw Self.down }
            return try body(&box.state)
        }
    }

    private static let down = DiskError(operation: "use", path: "the disk", reason: "it is down")

    /// Passes an operation; throws at the one where the crash is.
    private static func operate(_ state: inout State) throws(DiskError) {
        state.operationCount += 1
        guard state.operationCount >= state.crashesAt else { return }
        state.isDown = true
        throw down
    }

    private static func error(_ operation: String, _ path: String, _ number: Int32) -> DiskError {
        DiskError(operation, path, errorNumber: number)
    }

    // MARK: - What tests say

    var operationCount: Int { box.withLock { $0.state.operationCount } }
    var writeCount: Int { box.withLock { $0.state.writeCount } }
    var isDown: Bool { box.withLock { $0.state.isDown } }

    /// Has the n-th operation from now on, counted from 1, be where everything ends.
    func crash(atOperation number: Int, seed: UInt64 = 1) {
        box.withLock {
            $0.state.crashesAt = $0.state.operationCount + number
            $0.state.random = SplitMix64(seed: seed)
        }
    }

    /// Has the n-th write from now on, counted from 1, fail after so many bytes.
    func failWrite(_ number: Int, afterByteCount: Int) {
        box.withLock { $0.state.failingWrites[$0.state.writeCount + number] = afterByteCount }
    }

    /// Has no write fail any more.
    func mendWrites() { box.withLock { $0.state.failingWrites = [:] } }

    /// Starts the machine again.
    func revive(losingPower: Bool) {
        box.withLock { box in
            box.state.isDown = false
            box.state.crashesAt = .max
            box.state.failingWrites = [:]
            guard losingPower else { return }
            // In order, so that the same seed does the same in every process.
            for (name, node) in box.state.names.sorted(by: { $0.key < $1.key })
            where box.state.durableNames[name] !== node {
                if Bool.random(using: &box.state.random) {
                    box.state.names[name] = box.state.durableNames[name]
                }
            }
            // File systems rename as a whole: nothing is there under both names.
            let renamed = box.state.renames.filter { to, from in
                box.state.names[to] === box.state.durableNames[from]
            }
            for (name, node) in box.state.durableNames.sorted(by: { $0.key < $1.key })
            where box.state.names[name] == nil && !renamed.values.contains(name) {
                if Bool.random(using: &box.state.random) { box.state.names[name] = node }
            }
            box.state.renames = [:]
            box.state.durableNames = box.state.names
            for (_, node) in box.state.names.sorted(by: { $0.key < $1.key }) {
                if Array(node.bytes.prefix(node.durable.count)) == node.durable {
                    let range = node.durable.count...node.bytes.count
                    let count = Int.random(in: range, using: &box.state.random)
                    node.bytes.removeLast(node.bytes.count - count)
                } else if Bool.random(using: &box.state.random) {
                    node.bytes = node.durable
                }
                node.durable = node.bytes
            }
        }
    }

    subscript(_ path: String) -> [UInt8]? {
        get { box.withLock { $0.state.names[path]?.bytes } }
        set {
            box.withLock { box in
                let node = newValue.map { bytes in
                    let node = Node()
                    (node.bytes, node.durable) = (bytes, bytes)
                    return node
                }
                box.state.names[path] = node
                box.state.durableNames[path] = node
            }
        }
    }

    /// Extends a file in place.
    func extend(_ path: String, _ bytes: some Sequence<UInt8>) {
        box.withLock { $0.state.names[path]?.bytes.append(contentsOf: bytes) }
    }

    /// The text of a file; nil for none.
    func text(_ path: String) -> String? { self[path].map { String(decoding: $0, as: UTF8.self) } }

    /// The names in a folder, in order.
    func names(in folder: String) -> [String] {
        box.withLock { box in
            box.state.names.keys.filter { $0.hasPrefix(folder + "/") }
                .map { String($0.dropFirst(folder.count + 1)) }.sorted()
        }
    }

    // MARK: - Disk

    func openForReading(_ path: String) throws(DiskError) -> any ReadableFile {
        let isThere = try with { state throws(DiskError) in state.names[path] != nil }
        guard isThere else { throw Self.error("open", path, ENOENT) }
        return Reading(disk: self, path: path)
    }

    func openForWriting(_ path: String, appending: Bool) throws(DiskError) -> any WritableFile {
        try with { state throws(DiskError) in
            if state.names[path] == nil || !appending { try Self.operate(&state) }
            let node = state.names[path] ?? Node()
            if !appending { node.bytes = [] }
            state.names[path] = node
        }
        return Writing(disk: self, path: path)
    }

    func create(_ path: String) throws(DiskError) -> any WritableFile {
        try with { state throws(DiskError) in
            guard state.names[path] == nil else { throw Self.error("create", path, EEXIST) }
            try Self.operate(&state)
            state.names[path] = Node()
        }
        return Writing(disk: self, path: path)
    }

    func readAll(_ path: String, maximumByteCount: Int) throws(DiskError) -> [UInt8] {
        try with { state throws(DiskError) in
            guard let node = state.names[path] else { throw Self.error("open", path, ENOENT) }
            return node.bytes
        }
    }

    func writeAtomically(_ bytes: [UInt8], to path: String, mode: UInt32) throws(DiskError) {
        let temporary = path + ".tmp"
        let file = try openForWriting(temporary, appending: false)
        try bytes.span.bytes.withUnsafeBytes { all throws(DiskError) in try file.write(all) }
        try file.synchronize()
        try rename(temporary, to: path)
        try synchronizeFolder(LinuxDisk.parent(of: path))
    }

    func exists(_ path: String) -> Bool { self[path] != nil }

    func makeDirectory(_ path: String) throws(DiskError) {}

    func identity(_ path: String) -> FileIdentity? { nil }

    func canonicalPath(_ path: String) throws(DiskError) -> String { path }

    func status(_ path: String) throws(DiskError) -> FileStatus? {
        try with { state throws(DiskError) in
            state.names[path].map { node in
                FileStatus(
                    kind: .file,
                    byteCount: node.bytes.count,
                    identity: FileIdentity(device: 1, number: 1),
                    modifiedNanoseconds: 0
                )
            }
        }
    }

    func list(_ path: String) throws(DiskError) -> [FolderEntry] {
        try with { _ throws(DiskError) in }
        return names(in: path).map { FolderEntry(name: $0, isFolder: false) }
    }

    func rename(_ path: String, to newPath: String) throws(DiskError) {
        try with { state throws(DiskError) in
            guard let node = state.names[path] else { throw Self.error("rename", path, ENOENT) }
            try Self.operate(&state)
            state.names[path] = nil
            state.names[newPath] = node
            state.renames[newPath] = path
        }
    }

    func link(_ path: String, at newPath: String) throws(DiskError) {
        try with { state throws(DiskError) in
            guard let node = state.names[path] else { throw Self.error("link", path, ENOENT) }
            guard state.names[newPath] == nil else { throw Self.error("link", newPath, EEXIST) }
            try Self.operate(&state)
            state.names[newPath] = node
        }
    }

    func remove(_ path: String) throws(DiskError) {
        try with { state throws(DiskError) in
            guard state.names[path] != nil else { throw Self.error("remove", path, ENOENT) }
            try Self.operate(&state)
            state.names[path] = nil
        }
    }

    func removeTree(_ path: String) throws(DiskError) {
        for name in names(in: path) { try remove("\(path)/\(name)") }
    }

    func synchronizeFile(_ path: String) throws(DiskError) {
        try with { state throws(DiskError) in
            guard let node = state.names[path] else { throw Self.error("open", path, ENOENT) }
            try Self.operate(&state)
            node.durable = node.bytes
        }
    }

    func synchronizeFolder(_ path: String) throws(DiskError) {
        try with { state throws(DiskError) in
            try Self.operate(&state)
            func isInside(_ name: String) -> Bool { LinuxDisk.parent(of: name) == path }
            state.durableNames = state.durableNames.filter { !isInside($0.key) }
            for (name, node) in state.names where isInside(name) { state.durableNames[name] = node }
            state.renames = state.renames.filter { !isInside($0.key) }
        }
    }

    func lock(_ path: String, _ kind: FileLockKind) throws(DiskError) -> any FileLock {
        preconditionFailure("nothing here takes locks")
    }

    // MARK: - Files

    private final class Reading: ReadableFile {
        private let disk: MemoryDisk
        private let path: String
        private var offset = 0

        init(disk: MemoryDisk, path: String) {
            self.disk = disk
            self.path = path
        }

        func read(into buffer: UnsafeMutableRawBufferPointer) throws(DiskError) -> Int {
            let count = try read(into: buffer, atByteOffset: offset)
            offset += count
            return count
        }

        func read(
            into buffer: UnsafeMutableRawBufferPointer,
            atByteOffset byteOffset: Int
        ) throws(DiskError) -> Int {
            let all = try disk.readAll(path, maximumByteCount: .max)
            let bytes = all.dropFirst(byteOffset).prefix(buffer.count)
            buffer.copyBytes(from: bytes)
            return bytes.count
        }

        func seek(toByteOffset byteOffset: Int) throws(DiskError) { offset = byteOffset }

        func isReady(waitingMilliseconds: Int32) -> Bool { true }

        func isStillThere() -> Bool { true }
    }

    private final class Writing: WritableFile {
        private let disk: MemoryDisk
        private let path: String

        init(disk: MemoryDisk, path: String) {
            self.disk = disk
            self.path = path
        }

        func write(_ bytes: UnsafeRawBufferPointer) throws(DiskError) {
            let all = Array(bytes)
            try disk.with { state throws(DiskError) in
                guard let node = state.names[path] else {
                    throw MemoryDisk.error("write", path, EIO)
                }
                state.writeCount += 1
                if let byteCount = state.failingWrites[state.writeCount] {
                    node.bytes += all.prefix(byteCount)
                    throw MemoryDisk.error("write", path, ENOSPC)
                }
                do throws(DiskError) {
                    try MemoryDisk.operate(&state)
                } catch {
                    node.bytes += all.prefix(Int.random(in: 0...all.count, using: &state.random))
                    throw error
                }
                node.bytes += all
            }
        }

        func truncate(to byteCount: Int) throws(DiskError) {
            try disk.with { state throws(DiskError) in
                try MemoryDisk.operate(&state)
                guard let node = state.names[path] else { return }
                node.bytes = Array(node.bytes.prefix(byteCount))
            }
        }

        func synchronize() throws(DiskError) { try disk.synchronizeFile(path) }

        func close() throws(DiskError) { try disk.with { _ throws(DiskError) in } }
    }
}
