import ApusCore
import Synchronization

/// Reads files and compares their hashes with what a manifest says.
///
/// Any thread.  What was found good is not read again as long as the file system says that the
/// file has not changed, unless somebody asks for it.
final class FileVerifier: Sendable {
    /// A file that was found good.
    private struct Known: Hashable {
        let contentName: String
        let identity: FileIdentity
        let byteCount: Int
        let modifiedNanoseconds: Int64

        init(_ file: FileEntry, _ status: FileStatus) {
            contentName = file.contentName
            identity = status.identity
            byteCount = status.byteCount
            modifiedNanoseconds = status.modifiedNanoseconds
        }
    }

    /// Files are dealt out to so many threads: reading and hashing are about as fast as memory.
    private static let threadCount = 2

    private let reader: FolderReader
    private let threads: (any Threads)?
    private let known: Mutex<Set<Known>> = Mutex([])

    init(_ reader: FolderReader, threads: (any Threads)?) {
        self.reader = reader
        self.threads = threads
    }

    /// What is wrong with files, in the order of their names; empty when nothing is.
    ///
    /// - Parameters:
    ///   - files: What they should be.
    ///   - isThorough: Whether those are read again that were found good before.
    /// - Returns: A sentence for each that is missing or different.
    /// - Throws: ``CheckpointError`` when it is not the disk's fault that a file cannot be read.
    func problems(
        _ files: [FileEntry],
        isThorough: Bool = false
    ) throws(CheckpointError) -> [String] {
        if isThorough { known.withLock { $0 = [] } }
        // Long ones first, so that the threads end together.
        let queue = Dictionary(files.map { ($0.contentName, $0) }) { first, _ in first }
            .values.sorted { ($0.byteCount, $0.contentName) > ($1.byteCount, $1.contentName) }
        let work = Work(queue)
        let helpers = threads.map { threads in
            (1..<Self.threadCount).filter { $0 < queue.count }.map { index in
                threads.start(name: "apus-verify-\(index)") { [self] in work.run(check) }
            }
        }
        work.run(check)
        for helper in helpers ?? [] { helper.join() }
        return try work.result().sorted()
    }

    /// What is wrong with a file; nil when nothing is.
    private func check(_ file: FileEntry) throws(CheckpointError) -> String? {
        if let problem = try reader.lengthProblem(file) { return problem }
        let path = reader.layout.file(file.contentName)
        let status = try CheckpointError.onDisk(try reader.disk.status(path))
        let entry = status.map { Known(file, $0) }
        if let entry, known.withLock({ $0.contains(entry) }) { return nil }
        do throws(DiskError) {
            let found = try HashStream.hash(try reader.disk.openForReading(path))
            guard found.hash.description == file.hash, found.byteCount == file.byteCount else {
                return "\(reader.layout.short(path)) (\(file.logicalName)) does not hold what was "
                    + "written: its bytes have the hash \(found.hash)"
            }
        } catch {
            guard error.isDamage || error.isMissing else { throw CheckpointError(error) }
            return "\(reader.layout.short(path)) (\(file.logicalName)) cannot be read: "
                + error.reason
        }
        if let entry { known.withLock { _ = $0.insert(entry) } }
        return nil
    }

    /// Files that several threads take one by one.
    private final class Work: Sendable {
        private struct State {
            var rest: ArraySlice<FileEntry>
            var problems: [String] = []
            var error: CheckpointError?
        }

        private let state: Mutex<State>

        init(_ files: [FileEntry]) {
            state = Mutex(State(rest: files[...]))
        }

        func run(_ check: (FileEntry) throws(CheckpointError) -> String?) {
            while let file = state.withLock({ $0.error == nil ? $0.rest.popFirst() : nil }) {
                do throws(CheckpointError) {
                    guard let problem = try check(file) else { continue }
                    state.withLock { $0.problems.append(problem) }
                } catch {
                    state.withLock { $0.error = error }
                }
            }
        }

        func result() throws(CheckpointError) -> [String] {
            let state = state.withLock { $0 }
            if let error = state.error { throw error }
            return state.problems
        }
    }
}
