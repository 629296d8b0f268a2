package import ApusCore
package import ApusMemory
import Glibc
import Synchronization

/// Delivers the output of a sink as a folder of files that never change, one per epoch and subtask.
///
/// A part appears whole, under the name
///
///     part-<subtask>-<number, 20 digits>.jsonl
///
/// and only with the checkpoint that holds it; an epoch without output has none.  Until then it is
/// called `.part-<subtask>-<number>.tmp`.  The number is the epoch's; in a folder that keeps the
/// parts of earlier jobs it goes on behind theirs.  See ``PartMarker`` for the file that says how
/// far the folder is complete.
///
/// The position, integers big-endian:
///
///     offset  size
///          0     1  0x50
///          1     1  version: 1
///          2     1  1 when what the folder held before is gone or kept, else 0
///          3     8  what is added to an epoch to make its number
///         11     8  number of subtasks
///         19   16n  subtask (8) and the newest epoch of it that was delivered (8), ascending
package final class FolderDelivery: OutputDelivery {
    private static let version: UInt8 = 1

    struct State {
        var hasBegun: Bool
        var firstNumber: UInt64 = 0
        var delivered = DeliveredEpochs()
        /// What an earlier process may have delivered.
        var restored: [SealedOutput] = []
        /// What the marker says, or will say.
        var marker = PartMarker()
        var failure: EndpointError?
    }

    let folder: String
    let disk: any Disk
    private let state: Mutex<State>

    /// Looks at a folder, which is made when it is missing.
    ///
    /// Parts that it holds are dropped only by the first ``deliver(_:)``: a job that does not come
    /// to run leaves them as they were.  Other files are left alone.
    ///
    /// - Parameters:
    ///   - path: The folder; a slash at the end does not matter.
    ///   - appending: Whether the parts that it holds stay.
    ///   - disk: Where the folder is.
    /// - Throws: ``EndpointError`` that names the path and the reason.
    package init(path: String, appending: Bool, disk: any Disk) throws(EndpointError) {
        var folder = path[...]
        while folder.count > 1, folder.last == "/" { folder.removeLast() }
        self.folder = String(folder)
        self.disk = disk
        var state = State(hasBegun: appending)
        do throws(DiskError) {
            // Makes the folder, and shows at once whether it can be written to.
            let probe = "\(self.folder)/.part-probe.tmp"
            try disk.openForWriting(probe, appending: false).close()
            try disk.remove(probe)
            if appending {
                state.marker = try PartMarker.read(in: self.folder, disk: disk)
                let names = try disk.list(self.folder).compactMap { PartName($0.name) }
                state.firstNumber = max(names.map(\.number).max() ?? 0, state.marker.newest)
            }
        } catch {
            throw EndpointError(error.description)
        }
        self.state = Mutex(state)
    }

    // doc: inherited
    package var position: [UInt8] {
        state.withLock { state in
            var writer = PositionWriter()
            writer.append(PositionKind.outputFolder.rawValue)
            writer.append(Self.version)
            writer.append(UInt8(state.hasBegun ? 1 : 0))
            writer.append(state.firstNumber)
            state.delivered.append(to: &writer)
            return writer.bytes
        }
    }

    // doc: inherited
    package func restore(
        _ position: [UInt8],
        undelivered: [SealedOutput]
    ) throws(EndpointError) {
        var state = try read(position, undelivered)
        do throws(DiskError) {
            if state.hasBegun {
                state.marker = try PartMarker.read(in: folder, disk: disk)
                try refuseUnknownParts(state)
            }
        } catch {
            throw EndpointError(error.description)
        }
        self.state.withLock { $0 = state }
    }

    func read(
        _ position: [UInt8],
        _ undelivered: [SealedOutput]
    ) throws(EndpointError) -> State {
        var reader = try PositionReader(
            position,
            name: folder,
            kind: .outputFolder,
            version: Self.version
        )
        var state = State(hasBegun: try reader.takeByte() == 1)
        state.firstNumber = try reader.takeWord()
        state.delivered = try DeliveredEpochs(&reader)
        try reader.finish()
        state.restored = state.delivered.missing(of: undelivered)
        return state
    }

    /// Refuses parts of epochs that the checkpoint knows nothing of.
    private func refuseUnknownParts(_ state: State) throws(DiskError) {
        let expected = state.restored.map { partName($0, state) }
        for entry in try disk.list(folder) {
            guard let name = PartName(entry.name), name.number > state.firstNumber,
                !state.delivered.contains(name.subtask, name.number - state.firstNumber),
                !expected.contains(name)
            else { continue }
            throw DiskError(
                operation: "go on in",
                path: folder,
                reason: "it has \(entry.name), of which the checkpoint knows nothing: it is of a "
                    + "later checkpoint or another job; start the job with --rewind-output, which "
                    + "moves such parts to a folder in it"
            )
        }
    }

    // doc: inherited
    package func deliver(_ output: SealedOutput) throws(EndpointError) {
        try state.withLock { state throws(EndpointError) in
            if let failure = state.failure { throw failure }
            guard !state.delivered.contains(output) else { return }
            Failpoint.hit(.k3)
            do throws(EndpointError) {
                try begin(&state)
                if let logPath = output.logPath { try deliver(output, logPath, &state) }
            } catch {
                if !error.isRetryable { state.failure = error }
                throw error
            }
            state.delivered.add(output)
        }
    }

    /// Drops the parts of earlier jobs, unless that was done.
    private func begin(_ state: inout State) throws(EndpointError) {
        guard !state.hasBegun else { return }
        do throws(DiskError) {
            // The marker first, and for good: without it nothing is said of the parts.
            let marker = "\(folder)/\(PartMarker.name)"
            if disk.exists(marker) { try disk.remove(marker) }
        } catch {
            throw EndpointError(retrying: error)
        }
        try synchronizeFolder()
        do throws(DiskError) {
            for entry in try disk.list(folder) where !entry.isFolder {
                guard PartName.isOurs(entry.name) else { continue }
                // A crash may have come between the first delivery and the checkpoint.
                let isRestored = try isRestored(entry.name, state)
                if !isRestored { try disk.remove("\(folder)/\(entry.name)") }
            }
        } catch {
            throw EndpointError(retrying: error)
        }
        try synchronizeFolder()
        state.hasBegun = true
    }

    /// Whether a file is a part that this job delivered before a crash.
    func isRestored(_ name: String, _ state: State) throws(DiskError) -> Bool {
        for output in state.restored where partName(output, state).text == name {
            guard let logPath = output.logPath else { continue }
            return try isEqual(SealedLog(output, at: logPath, disk: disk), "\(folder)/\(name)")
        }
        return false
    }

    private func partName(_ output: SealedOutput, _ state: State) -> PartName {
        PartName(subtask: output.subtask, number: state.firstNumber + output.epoch)
    }

    private func isEqual(_ log: SealedLog, _ path: String) throws(DiskError) -> Bool {
        guard try disk.status(path)?.byteCount == log.byteCount else { return false }
        let file = try disk.openForReading(path)
        return try log.firstDifference(in: log.byteCount, with: file, at: 0) == nil
    }

    private func deliver(
        _ output: SealedOutput,
        _ logPath: String,
        _ state: inout State
    ) throws(EndpointError) {
        let name = partName(output, state)
        let path = "\(folder)/\(name.text)"
        do throws(DiskError) {
            let log = try SealedLog(output, at: logPath, disk: disk)
            if disk.exists(path) {
                guard try isEqual(log, path) else {
                    throw DiskError(
                        operation: "deliver to",
                        path: path,
                        reason: "it is there and has something else than \(logPath): it is not of "
                            + "this job, or was changed; start the job with --rewind-output, which "
                            + "moves it to a folder beside it"
                    )
                }
                let temporary = "\(folder)/\(name.temporaryText)"
                if disk.exists(temporary) { try disk.remove(temporary) }
            } else {
                try write(log, as: name)
            }
        } catch {
            throw EndpointError(retrying: error)
        }
        // Of a part that was there, too: its name may not be on the disk.
        try synchronizeFolder()
        Failpoint.hit(.k7)
        state.marker.add(name)
        do throws(DiskError) {
            try state.marker.write(in: folder, disk: disk)
        } catch {
            throw EndpointError(retrying: error)
        }
        Failpoint.hit(.k5)
    }

    /// Copies a log to its name; a link would give readers a file of the checkpoint to change.
    private func write(_ log: SealedLog, as name: PartName) throws(DiskError) {
        let temporary = "\(folder)/\(name.temporaryText)"
        do throws(DiskError) {
            let file = try disk.openForWriting(temporary, appending: false)
            try log.copy(from: 0, to: file)
            try file.synchronize()
            try file.close()
        } catch {
            // The next try must be a new file: what a second wait for this one says means nothing.
            if disk.exists(temporary) { try disk.remove(temporary) }
            throw error
        }
        Failpoint.hit(.k4)
        Failpoint.hit(.k6)
        try disk.rename(temporary, to: "\(folder)/\(name.text)")
    }

    private func synchronizeFolder() throws(EndpointError) {
        do throws(DiskError) {
            try disk.synchronizeFolder(folder)
        } catch {
            throw EndpointError(error.description)
        }
    }
}
