package import ApusCore
package import ApusMemory
import Synchronization

/// Keeps rejected records in a file, a JSON object per line, or refuses them.
///
/// Any thread.  The file is opened with the first record and extended: a job without rejects leaves
/// none.  Each line is handed to the operating system at once, whole.  Where that fails, a piece of
/// it may stay as a line of its own, and the record can be added again: in a line of its own.
package final class DeadLetterFile: DeadLetters {
    /// What becomes of a rejected record.
    package enum Policy: Equatable, Sendable {
        /// The job fails.
        case fail
        /// It goes to the file.
        case deadLetter
    }

    private struct State {
        var file: (any WritableFile)?
        var count = 0
        /// How many of them are on the disk.
        var durableCount = 0
        /// Why nobody knows which ones are.
        var failure: EndpointError?
        var firstReason: String?
    }

    private let path: String
    private let policy: Policy
    private let disk: any Disk
    private let state = Mutex(State())

    /// Describes where records go; opens nothing.
    package init(path: String, policy: Policy, disk: any Disk) {
        self.path = path
        self.policy = policy
        self.disk = disk
    }

    /// How many records have been kept.
    package var count: Int { state.withLock { $0.count } }

    /// Why the first record was rejected, and by which node; nil while there is none.
    package var firstReason: String? { state.withLock { $0.firstReason } }

    // doc: inherited
    package func add(_ record: RejectedRecord, node: String) throws(EndpointError) {
        guard policy == .deadLetter else {
            let position = record.position.isEmpty ? "" : "\(record.position): "
            throw EndpointError(
                "a record was rejected, and errors.policy is fail: \(position)\(record.reason)"
            )
        }
        let line = DeadLetterLine.encode(record, node: node)
        try perform(isRetryable: true) { state throws(DiskError) in
            let file = try opened(state)
            // Opened anew, and mended, after an error: nobody knows how much of the line is there.
            state.file = nil
            // SAFETY: the span ends with this scope, before the array does.
            try line.span.bytes.withUnsafeBytes { bytes throws(DiskError) in
                try file.write(bytes)
            }
            state.file = file
            state.count += 1
            if state.firstReason == nil {
                let position = record.position.isEmpty ? "" : "\(record.position): "
                state.firstReason = "'\(node)': \(position)\(record.reason)"
            }
        }
    }

    /// The file, open, at the beginning of a line.
    private func opened(_ state: State) throws(DiskError) -> any WritableFile {
        if let file = state.file { return file }
        let file = try disk.openForWriting(path, appending: true)
        // A crash or a full disk may have cut off the last line; nothing is glued to it.
        if try disk.endsInsideLine(path) { try file.writeLineFeed() }
        return file
    }

    // doc: inherited
    package func flush() throws(EndpointError) {
        let (count, durableCount, failure) = state.withLock { state in
            (state.count, state.durableCount, state.failure)
        }
        if let failure { throw failure }
        guard count > durableCount else { return }
        do throws(DiskError) {
            // Not under the lock: records that come meanwhile do not wait for the disk.
            try disk.synchronizeFile(path)
            if durableCount == 0 { try disk.synchronizeFolder(LinuxDisk.parent(of: path)) }
        } catch {
            // Final: what a second wait says means nothing.
            let failure = EndpointError("dead letters: \(error.description)")
            state.withLock { $0.failure = failure }
            throw failure
        }
        state.withLock { $0.durableCount = count }
    }

    /// Flushes and closes; a record that comes later opens the file again.
    ///
    /// - Throws: ``EndpointError`` when records may be lost.
    package func close() throws(EndpointError) {
        try perform { state throws(DiskError) in
            guard let file = state.file else {
                // Closed by an error; what came before that matters all the same.
                if state.count > state.durableCount { try disk.synchronizeFile(path) }
                return
            }
            state.file = nil
            try file.synchronize()
            try file.close()
        }
    }

    private func perform(
        isRetryable: Bool = false,
        _ operation: (inout State) throws(DiskError) -> Void
    ) throws(EndpointError) {
        do throws(DiskError) {
            try state.withLock { state throws(DiskError) in try operation(&state) }
        } catch {
            throw EndpointError(
                "dead letters: \(error.description)",
                isRetryable: isRetryable && EndpointError(retrying: error).isRetryable
            )
        }
    }
}
