import ApusCheckpoint
import ApusIO
import ApusSwap

/// Whether the checkpoints of a job that does not run may be changed.
enum OfflineChange {
    /// Refuses while the next start has something to end: it may need a checkpoint that would go,
    /// or leave a new one behind.
    ///
    /// - Parameter folder: Open for writing.
    /// - Throws: ``CheckpointError`` that says what is under way, and what to do.
    static func refuseWhileOpen(_ folder: CheckpointFolder) throws(CheckpointError) {
        do {
            guard let history = try SwapJournal.read(inFolder: folder.path, disk: LinuxDisk())
            else { return }
            let newest = try folder.latest(verifyingFiles: false)
            let recovery = try SwapRecovery(
                SwapRecovery.Situation(
                    history: history,
                    jobFile: [:],
                    origin: .newest,
                    checkpoint: newest.map(SwapRecovery.Checkpoint.init),
                    checkpoints: try SwapRecovery.Checkpoint.all(in: folder)
                )
            )
            if recovery.events.isEmpty, recovery.checkpoint == nil { return }
            let last = history.swaps.last?.intent.text ?? "a swap"
            throw CheckpointError(
                .locked,
                "\(folder.path): \(last) is not at its end; expected none: start the job with "
                    + "--from latest, which ends it (`apus swap history \(folder.path)`), and "
                    + "change its checkpoints then"
            )
        } catch let error as CheckpointError {
            throw error
        } catch let error as SwapJournalError {
            throw CheckpointError(.damaged, error.description)
        } catch {
            throw CheckpointError(.disk, "\(error)")
        }
    }
}
