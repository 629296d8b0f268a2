import ApusCheckpoint
import ApusControl
import ApusIO
import ApusState
import ApusStateTools
import ArgumentParser
import Foundation

/// Changes of the state of a running job, for the commands.
struct LiveChanges {
    private let options: LiveStateOptions
    private let checkpoint: LiveCheckpoint

    /// Has the job take a checkpoint.
    init(_ options: LiveStateOptions) throws {
        self.options = options
        checkpoint = try options.takeCheckpoint()
    }

    private var client: ControlClient { checkpoint.client }

    /// Removes keys, or a state of them.
    func purge(
        _ purge: StatePurge,
        _ state: String?,
        tombstones: String?
    ) throws -> LivePurgeReport {
        let status = try ControlPlace.orExit { () throws(ControlError) in
            try client.ask("job.status", ControlNothing(), as: JobStatus.self)
        }
        let number = checkpoint.manifest.number
        let path = tombstones ?? "\(checkpoint.folder.path).purged-live-\(number).jsonl"
        let reader = try openReader()
        do {
            var report = try LivePurge(purge).run(
                reader,
                operators: Set(status.nodes.map(\.id)),
                tombstones: path,
                disk: LinuxDisk()
            ) { chunk in try remove(chunk, state) }
            try reader.close()
            if report.removedKeyCount > 0 { report.newCheckpoint = try confirm() }
            return report
        } catch let error as ControlError {
            let hint = "; what may be gone is in \(path): apus state undo brings it back"
            throw exit(ControlError(error.code, error.message + hint))
        } catch let error as StateToolError {
            throw exit(error)
        }
    }

    private func remove(_ chunk: LivePurge.Chunk, _ state: String?) throws -> LivePurge.Counts {
        let asked = JobMethods.Purge(
            operator: chunk.operatorName,
            state: state,
            keys: chunk.keys.map { JobMethods.Purge.Key(key: Data($0.key), written: $0.written) }
        )
        let counts = try client.ask("state.purge", asked, as: JobMethods.Purged.self) {
            Console.note($0.message)
        }
        return LivePurge.Counts(
            removed: counts.removed,
            touched: counts.touched,
            missing: counts.missing
        )
    }

    /// Puts back what a purge has removed, or counts what would be.
    func undo(_ file: String, yes: Bool) throws -> LiveUndoReport {
        let reader = try openReader()
        do {
            let undo = LiveUndo(file, disk: LinuxDisk()) { Console.note($0) }
            var report = try undo.run(reader, isDryRun: !yes) { chunk in try restore(chunk) }
            try reader.close()
            if report.restoredKeyCount > 0 { report.newCheckpoint = try confirm() }
            return report
        } catch let error as ControlError {
            let hint = "; run it again: keys that are back already stay as they are"
            throw exit(ControlError(error.code, error.message + hint))
        } catch let error as StateToolError {
            throw exit(error)
        }
    }

    private func restore(_ chunk: LiveUndo.Chunk) throws -> LiveUndo.Counts {
        let asked = JobMethods.Undo(
            operator: chunk.operatorName,
            isWhole: chunk.isWhole,
            keys: chunk.keys.map(JobMethods.Undo.Key.init)
        )
        let counts = try client.ask("state.undo", asked, as: JobMethods.Undone.self) {
            Console.note($0.message)
        }
        return LiveUndo.Counts(
            restored: counts.restored,
            occupied: counts.occupied,
            unfit: counts.unfit
        )
    }

    // MARK: - Parts

    private func openReader() throws -> StateSnapshotReader {
        try StateTool.orExit { () throws(StateToolError) in
            try StateSnapshotReader(
                checkpoint.folder,
                checkpoint.manifest,
                workDirectory: options.stored.work,
                disk: LinuxDisk(),
                entropy: LinuxEntropy()
            )
        }
    }

    /// Has the job take a checkpoint, so that the change outlives a crash.
    private func confirm() throws -> UInt64 {
        try LiveCheckpoint.create(client).checkpoint
    }

    /// Says what is wrong; the error to end the program with.
    private func exit(_ error: some Error & CustomStringConvertible) -> any Error {
        Console.error(error.description)
        return (error as? StateToolError)?.kind == .input ? ExitStatus.invalid : ExitStatus.failed
    }
}

extension JobMethods.Undo.Key {
    fileprivate init(_ found: LiveUndo.Key) {
        key = Data(found.key)
        states = found.values.map { .init(name: $0, value: Data($1)) }
        states += found.counters.map { .init(name: $0, number: $1) }
        states += found.lists.map { .init(name: $0, list: $1.map { Data($0) }) }
        states += found.maps.map { name, entries in
            .init(
                name: name,
                map: entries.map { .init(key: Data($0.key), value: Data($0.value)) }
            )
        }
        timers = found.timers.map { name, timer in
            .init(
                name: name,
                id: timer.id,
                timeMicroseconds: timer.timeMicroseconds,
                payload: Data(timer.payload)
            )
        }
    }
}
