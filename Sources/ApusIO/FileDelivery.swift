package import ApusCore
package import ApusMemory
import Synchronization

/// Appends the output of a sink to a file, epoch by epoch, each byte once.
///
/// How long the file is when all that was delivered is in it stands in the checkpoints.  So after a
/// crash it shows how much of the epochs behind that the file has already, and only the rest is
/// appended: who follows the file never sees a line twice.  Nobody else may write to the file.
///
/// Its position, integers big-endian:
///
///     offset  size
///          0     1  0x4f
///          1     1  version: 1
///          2     1  flags: 1 what the file held before is gone or kept; 2 a line feed comes first
///          3     8  length of the file with all that was delivered
///         11     8  number of subtasks
///         19   16n  subtask (8) and the newest epoch of it that was delivered (8), ascending
///
/// A failed wait for the disk is final: what a second wait says means nothing, and what the system
/// still shows of the file may not be on the disk.
package final class FileDelivery: OutputDelivery {
    private static let version: UInt8 = 1

    struct State {
        var hasBegun: Bool
        var beginsWithLineFeed = false
        /// The length of the file with all that was delivered.
        var base = 0
        var delivered = DeliveredEpochs()
        /// What an earlier process may have delivered behind the base.
        var restored: [SealedOutput] = []
        /// How many bytes behind the base this process may have written in a call that failed.
        var attemptedByteCount = 0
        var isFolderSynchronized = false
        var failure: EndpointError?
    }

    let path: String
    let disk: any Disk
    private let state: Mutex<State>

    /// Opens a file; missing folders are made.
    ///
    /// What the file holds is dropped only by the first ``deliver(_:)``: a job that does not come
    /// to run leaves it as it was.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - appending: Whether what it holds stays; if that ends inside of a line, a line feed is
    ///     put behind it.
    ///   - endsLines: Whether it is a file of lines.
    ///   - disk: Where the file is.
    /// - Throws: ``EndpointError`` that names the path and the reason.
    package init(
        path: String,
        appending: Bool,
        endsLines: Bool = true,
        disk: any Disk
    ) throws(EndpointError) {
        var state = State(hasBegun: appending)
        do throws(DiskError) {
            try disk.openForWriting(path, appending: true).close()
            let status = try disk.status(path)
            guard status?.kind == .file else {
                throw DiskError(
                    operation: "deliver to",
                    path: path,
                    reason: "it is not a plain file, and only to one can output be delivered "
                        + "exactly once: write to a file, or use delivery: at-least-once"
                )
            }
            if appending {
                state.base = status?.byteCount ?? 0
                state.beginsWithLineFeed = endsLines ? try disk.endsInsideLine(path) : false
            }
        } catch {
            throw EndpointError(error.description)
        }
        self.path = path
        self.disk = disk
        self.state = Mutex(state)
    }

    // doc: inherited
    package var position: [UInt8] {
        state.withLock { state in
            var writer = PositionWriter()
            writer.append(PositionKind.outputFile.rawValue)
            writer.append(Self.version)
            writer.append((state.hasBegun ? 1 : 0) | UInt8(state.beginsWithLineFeed ? 2 : 0))
            writer.append(state.base)
            state.delivered.append(to: &writer)
            return writer.bytes
        }
    }

    // doc: inherited
    package func restore(
        _ position: [UInt8],
        undelivered: [SealedOutput]
    ) throws(EndpointError) {
        let state = try read(position, undelivered)
        if state.hasBegun { try check(length(), state, upTo: pendingByteCount(state)) }
        self.state.withLock { $0 = state }
    }

    func read(
        _ position: [UInt8],
        _ undelivered: [SealedOutput]
    ) throws(EndpointError) -> State {
        var reader = try PositionReader(
            position,
            name: path,
            kind: .outputFile,
            version: Self.version
        )
        let flags = try reader.takeByte()
        var state = State(hasBegun: flags & 1 != 0)
        state.beginsWithLineFeed = flags & 2 != 0
        state.base = try reader.takeCount()
        state.delivered = try DeliveredEpochs(&reader)
        try reader.finish()
        state.restored = state.delivered.missing(of: undelivered)
        return state
    }

    // doc: inherited
    package func deliver(_ output: SealedOutput) throws(EndpointError) {
        try state.withLock { state throws(EndpointError) in
            if let failure = state.failure { throw failure }
            guard !state.delivered.contains(output) else { return }
            Failpoint.hit(.k3)
            do throws(EndpointError) {
                try begin(&state)
                try append(output, &state)
            } catch {
                if !error.isRetryable { state.failure = error }
                throw error
            }
            state.attemptedByteCount = 0
            state.delivered.add(output)
            state.restored.removeAll { state.delivered.contains($0) }
        }
    }

    /// Drops what the file held before the job, unless that was done.
    private func begin(_ state: inout State) throws(EndpointError) {
        guard !state.hasBegun else { return }
        let file: any WritableFile
        do throws(DiskError) {
            file = try disk.openForWriting(path, appending: true)
            // A crash may have come between the first delivery and the checkpoint that notes it.
            let isOurs = try isOurs(state)
            if !isOurs { try file.truncate(to: 0) }
        } catch {
            throw EndpointError(retrying: error)
        }
        try makeDurable(&state, file: file)
        state.hasBegun = true
    }

    /// Whether the file has nothing but the beginning of what is still to be delivered.
    private func isOurs(_ state: State) throws(DiskError) -> Bool {
        var rest = try disk.status(path)?.byteCount ?? 0
        var offset = 0
        for output in state.restored {
            guard rest > 0, let logPath = output.logPath else { continue }
            let log = try SealedLog(output, at: logPath, disk: disk)
            let count = min(rest, log.byteCount)
            let file = try disk.openForReading(path)
            guard try log.firstDifference(in: count, with: file, at: offset) == nil else {
                return false
            }
            offset += count
            rest -= count
        }
        return rest == 0
    }

    private func append(_ output: SealedOutput, _ state: inout State) throws(EndpointError) {
        let found = try length()
        try check(found, state, upTo: max(pendingByteCount(state), state.attemptedByteCount))
        guard let logPath = output.logPath else { return }
        let log: SealedLog
        do throws(DiskError) {
            log = try SealedLog(
                output,
                at: logPath,
                beginsWithLineFeed: state.beginsWithLineFeed,
                disk: disk
            )
        } catch {
            throw EndpointError(error.description)
        }
        let present = min(found - state.base, log.byteCount)
        let file: any WritableFile
        do throws(DiskError) {
            if present > 0 { try compare(log, present, state) }
            file = try disk.openForWriting(path, appending: true)
            state.attemptedByteCount = log.byteCount
            try log.copy(from: present, to: file)
        } catch {
            throw EndpointError(retrying: error)
        }
        Failpoint.hit(.k4)
        Failpoint.hit(.k6)
        try makeDurable(&state, file: file)
        Failpoint.hit(.k7)
        state.base += log.byteCount
        state.beginsWithLineFeed = false
    }

    /// Refuses a file that has something else where the log's bytes should be.
    private func compare(
        _ log: SealedLog,
        _ byteCount: Int,
        _ state: State
    ) throws(DiskError) {
        let file = try disk.openForReading(path)
        guard let offset = try log.firstDifference(in: byteCount, with: file, at: state.base) else {
            return
        }
        throw DiskError(
            operation: "deliver to",
            path: path,
            reason: "at byte \(state.base + offset) it has something else than \(log.path): "
                + "somebody else has written to it, or the machine has lost power; start the job "
                + "with --rewind-output, which moves what is behind that to a file beside it"
        )
    }

    /// Waits until the file, and its name if it may be new, are on the disk.
    private func makeDurable(
        _ state: inout State,
        file: any WritableFile
    ) throws(EndpointError) {
        do throws(DiskError) {
            try file.synchronize()
            try file.close()
            if !state.isFolderSynchronized {
                try disk.synchronizeFolder(LinuxDisk.parent(of: path))
                state.isFolderSynchronized = true
            }
        } catch {
            throw EndpointError(error.description)
        }
    }

    func length() throws(EndpointError) -> Int {
        do throws(DiskError) {
            return try disk.status(path)?.byteCount ?? 0
        } catch {
            throw EndpointError(error.description)
        }
    }

    /// How many bytes behind the base an earlier process may have delivered.
    private func pendingByteCount(_ state: State) -> Int {
        let byteCount = state.restored.reduce(0) { $0 + $1.byteCount }
        return byteCount == 0 ? 0 : byteCount + (state.beginsWithLineFeed ? 1 : 0)
    }

    private func check(
        _ found: Int,
        _ state: State,
        upTo extraByteCount: Int
    ) throws(EndpointError) {
        guard !(state.base...state.base + extraByteCount).contains(found) else { return }
        let expected =
            extraByteCount == 0
            ? "\(state.base) bytes" : "\(state.base) to \(state.base + extraByteCount) bytes"
        let isShort = found < state.base
        throw EndpointError(
            "\(path): should have \(expected), and has \(found): it was "
                + (isShort ? "shortened or replaced" : "written to") + " by somebody else; "
                + (isShort
                    ? "put it back as it was"
                    : "start the job with --rewind-output, which moves what is too much to a file "
                        + "beside it")
                + ", or start the job with another file, without the checkpoint"
        )
    }
}
