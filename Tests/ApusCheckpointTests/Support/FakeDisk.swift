import ApusCore
import Synchronization

/// A disk in memory that knows what is on the platter and what only the kernel has.
///
/// Bytes are durable once their file was synchronised, names once their folder was.  A power cut
/// takes any part of the rest.  After a synchronisation that failed, what it should have written is
/// never written by a later one, as on Linux (Rebello et al., "Can Applications Recover from fsync
/// Failures?", ATC 2020).
final class FakeDisk: Disk {
    /// What is done to a disk; each counts as one step.
    enum Operation: Equatable {
        case look
        case read
        case create
        case write
        case synchronize
        case close
        case rename
        case link
        case remove
        case synchronizeFolder
    }

    /// How a step fails.
    struct Fault {
        var errorNumber: Int32 = 5
        /// The how-many-th step among those that can fail this way, from 1.
        var step: Int
        /// Whether all steps after it fail as well.
        var isLasting = false
        /// Whether it takes effect nevertheless: wholly, or half of a write.
        var takesEffect = false

        func concerns(_ operation: Operation) -> Bool {
            errorNumber == 5 || [.create, .write, .link, .rename].contains(operation)
        }
    }

    struct State {
        var model = DiskModel()
        var fault: Fault?
        var faultyStepCount = 0
        var hasFailed = false
        var locks: [LockEntry] = []
        var lockCount = 0
        var operations: [Operation] = []
    }

    struct LockEntry {
        let node: Int
        let isShared: Bool
        let token: Int
    }

    let state: Mutex<State>
    /// Called after each step that changed something, and once before the first.
    let onStep: (@Sendable (DiskModel) -> Void)?

    init(_ model: DiskModel = DiskModel(), onStep: (@Sendable (DiskModel) -> Void)? = nil) {
        var state = State()
        state.model = model
        self.state = Mutex(state)
        self.onStep = onStep
    }

    /// What is on it now.
    var model: DiskModel { state.withLock { $0.model } }
    /// The steps so far.
    var operations: [Operation] { state.withLock { $0.operations } }
    /// Whether the fault has fired.
    var hasFailed: Bool { state.withLock { $0.hasFailed } }

    /// Has a step fail.
    func inject(_ fault: Fault?) {
        state.withLock { state in
            state.fault = fault
            state.faultyStepCount = 0
            state.hasFailed = false
        }
    }

    /// One step: fails if its turn has come, and takes effect unless it fails wholly.
    func step<Result>(
        _ operation: Operation,
        _ path: String,
        _ body: (inout DiskModel, _ isFaulty: Bool) throws(DiskError) -> Result
    ) throws(DiskError) -> Result {
        var changed: DiskModel?
        // A copy would have all of it copied again at the next change.
        let isWatched = onStep != nil
        let result: Swift.Result<Result, DiskError> = state.withLock { state in
            state.operations.append(operation)
            var failure: DiskError?
            if let fault = state.fault, fault.concerns(operation) {
                state.faultyStepCount += 1
                let isTurn =
                    fault.isLasting
                    ? state.faultyStepCount >= fault.step : state.faultyStepCount == fault.step
                if isTurn {
                    state.hasFailed = true
                    failure = DiskError(
                        operation: "\(operation)",
                        path: path,
                        reason: fault.errorNumber == 5 ? "Input/output error" : "No space left",
                        errorNumber: fault.errorNumber
                    )
                }
            }
            let isSynchronisation = operation == .synchronize || operation == .synchronizeFolder
            do throws(DiskError) {
                if let failure {
                    if isSynchronisation || state.fault?.takesEffect == true {
                        _ = try body(&state.model, true)
                        if isWatched { changed = state.model }
                    }
                    throw failure
                }
                let result = try body(&state.model, false)
                if isWatched, ![.look, .read, .close].contains(operation) {
                    changed = state.model
                }
                return .success(result)
            } catch {
                return .failure(failure ?? error)
            }
        }
        if let changed { onStep?(changed) }
        return try result.get()
    }

    // MARK: Disk

    func openForReading(_ path: String) throws(DiskError) -> any ReadableFile {
        let node = try step(.look, path) { model, _ throws(DiskError) in try model.file(path) }
        return FakeReadableFile(self, node, path)
    }

    func openForWriting(_ path: String, appending: Bool) throws(DiskError) -> any WritableFile {
        let node = try step(.create, path) { model, _ throws(DiskError) in
            if let node = model.find(path) {
                if !appending { model.nodes[node]?.bytes = [] }
                return node
            }
            return try model.create(path)
        }
        return FakeWritableFile(self, node, path)
    }

    func readAll(_ path: String, maximumByteCount: Int) throws(DiskError) -> [UInt8] {
        try step(.read, path) { model, _ throws(DiskError) in
            model.nodes[try model.file(path)]?.bytes ?? []
        }
    }

    func writeAtomically(_ bytes: [UInt8], to path: String, mode: UInt32) throws(DiskError) {
        preconditionFailure("the checkpoint folder takes each step itself")
    }

    func exists(_ path: String) -> Bool { model.find(path) != nil }

    func makeDirectory(_ path: String) throws(DiskError) {
        try step(.create, path) { model, _ throws(DiskError) in try model.makeFolders(path) }
    }

    func identity(_ path: String) -> FileIdentity? {
        model.find(path).map { FileIdentity(device: 1, number: UInt64($0)) }
    }

    func canonicalPath(_ path: String) throws(DiskError) -> String { path }

    func status(_ path: String) throws(DiskError) -> FileStatus? {
        try step(.look, path) { model, _ throws(DiskError) in model.status(path) }
    }

    func list(_ path: String) throws(DiskError) -> [FolderEntry] {
        try step(.look, path) { model, _ throws(DiskError) in try model.list(path) }
    }

    func create(_ path: String) throws(DiskError) -> any WritableFile {
        let node = try step(.create, path) { model, _ throws(DiskError) in try model.create(path) }
        return FakeWritableFile(self, node, path)
    }

    func rename(_ path: String, to newPath: String) throws(DiskError) {
        try step(.rename, newPath) { model, _ throws(DiskError) in
            try model.rename(path, newPath)
        }
    }

    func link(_ path: String, at newPath: String) throws(DiskError) {
        try step(.link, newPath) { model, _ throws(DiskError) in try model.link(path, newPath) }
    }

    func remove(_ path: String) throws(DiskError) {
        try step(.remove, path) { model, _ throws(DiskError) in try model.remove(path) }
    }

    func removeTree(_ path: String) throws(DiskError) {
        guard let node = model.find(path) else { return }
        if model.nodes[node]?.isFolder == true {
            for entry in try list(path) { try removeTree(path + "/" + entry.name) }
        }
        try remove(path)
    }

    func synchronizeFile(_ path: String) throws(DiskError) {
        let node = try step(.look, path) { model, _ throws(DiskError) in try model.file(path) }
        try synchronize(node, path)
    }

    func synchronize(_ node: Int, _ path: String) throws(DiskError) {
        let takesEffect = state.withLock { $0.fault?.takesEffect ?? false }
        try step(.synchronize, path) { model, isFaulty throws(DiskError) in
            model.synchronizeFile(node, isLost: isFaulty && !takesEffect)
        }
    }

    func synchronizeFolder(_ path: String) throws(DiskError) {
        let takesEffect = state.withLock { $0.fault?.takesEffect ?? false }
        try step(.synchronizeFolder, path) { model, isFaulty throws(DiskError) in
            try model.synchronizeFolder(path, isLost: isFaulty && !takesEffect)
        }
    }

    func lock(_ path: String, _ kind: FileLockKind) throws(DiskError) -> any FileLock {
        let isWriter = kind == .writer
        let node = try step(isWriter ? .create : .look, path) { model, _ throws(DiskError) in
            if isWriter, model.find(path) == nil { return try model.create(path) }
            return try model.file(path)
        }
        let token = try take(node, kind, path)
        return FakeLock(self, node, token)
    }

    private func take(
        _ node: Int,
        _ kind: FileLockKind,
        _ path: String
    ) throws(DiskError) -> Int {
        let isShared = kind == .shared
        let token: Int? = state.withLock { state in
            let others = state.locks.filter { $0.node == node }
            guard others.isEmpty || (isShared && others.allSatisfy(\.isShared)) else { return nil }
            state.lockCount += 1
            let token = state.lockCount
            state.locks.append(LockEntry(node: node, isShared: isShared, token: token))
            return token
        }
        if let token { return token }
        throw DiskError(
            operation: "lock",
            path: path,
            reason: "it is locked by " + (kind == .writer ? "process 4711" : "another process"),
            errorNumber: 11
        )
    }

    fileprivate func release(_ token: Int) {
        state.withLock { $0.locks.removeAll { $0.token == token } }
    }
}

private final class FakeLock: FileLock {
    let identity: FileIdentity
    private let disk: FakeDisk
    private let token: Int

    init(_ disk: FakeDisk, _ node: Int, _ token: Int) {
        self.disk = disk
        self.token = token
        identity = FileIdentity(device: 1, number: UInt64(node))
    }

    func release() { disk.release(token) }

    deinit { release() }
}

private final class FakeReadableFile: ReadableFile {
    private let disk: FakeDisk
    private let node: Int
    private let path: String
    private var byteOffset = 0

    init(_ disk: FakeDisk, _ node: Int, _ path: String) {
        self.disk = disk
        self.node = node
        self.path = path
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(DiskError) -> Int {
        let start = byteOffset
        let bytes = try disk.step(.read, path) { model, _ throws(DiskError) in
            Array((model.nodes[node]?.bytes ?? []).dropFirst(start).prefix(buffer.count))
        }
        buffer.copyBytes(from: bytes)
        byteOffset += bytes.count
        return bytes.count
    }

    func isReady(waitingMilliseconds: Int32) -> Bool { true }

    func isStillThere() -> Bool { disk.model.find(path) == node }
}

private final class FakeWritableFile: WritableFile {
    private let disk: FakeDisk
    private let node: Int
    private let path: String

    init(_ disk: FakeDisk, _ node: Int, _ path: String) {
        self.disk = disk
        self.node = node
        self.path = path
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(DiskError) {
        let bytes = Array(bytes)
        try disk.step(.write, path) { model, isFaulty throws(DiskError) in
            model.append(isFaulty ? Array(bytes.prefix(bytes.count / 2)) : bytes, to: node)
        }
    }

    func truncate(to byteCount: Int) throws(DiskError) {
        try disk.step(.write, path) { model, _ throws(DiskError) in
            model.nodes[node]?.bytes.removeSubrange(byteCount...)
        }
    }

    func synchronize() throws(DiskError) { try disk.synchronize(node, path) }

    func close() throws(DiskError) {
        try disk.step(.close, path) { _, _ throws(DiskError) in }
    }
}

extension FakeDisk {
    /// Changes bytes behind everybody's back: on the platter as well, and without a new time.
    func change(_ path: String, _ body: (inout [UInt8]) -> Void) {
        state.withLock { state in
            guard let node = state.model.find(path), var file = state.model.nodes[node] else {
                return
            }
            body(&file.bytes)
            file.durableBytes = file.bytes
            state.model.nodes[node] = file
        }
    }
}
