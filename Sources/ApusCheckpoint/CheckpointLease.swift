import ApusCore

/// Keeps a checkpoint from being collected, by whatever process, until it is released.
///
/// A shared lock on the manifest; who collects garbage needs it exclusively.
package final class CheckpointLease: Sendable {
    /// The checkpoint.
    package let number: UInt64
    private let lock: any FileLock

    fileprivate init(_ number: UInt64, _ lock: any FileLock) {
        self.number = number
        self.lock = lock
    }

    /// Lets the checkpoint go; nothing when that was done before.
    package func release() { lock.release() }

    deinit { release() }
}

extension CheckpointFolder {
    /// Keeps a checkpoint as long as somebody reads it, for example while another job restores it.
    ///
    /// - Parameter number: The checkpoint's number.
    /// - Returns: The lease; dropped or released, it lets the checkpoint go.
    /// - Throws: ``CheckpointError`` when there is no such checkpoint (any more).
    package func lease(_ number: UInt64) throws(CheckpointError) -> CheckpointLease {
        let path = layout.manifest(number)
        do throws(DiskError) {
            let lock = try disk.lock(path, .shared)
            // Between opening and locking it may have been moved to the trash.
            if disk.identity(path) == lock.identity { return CheckpointLease(number, lock) }
        } catch {
            // Who has it exclusively is moving it away.
            guard error.isMissing || error.isLocked else { throw CheckpointError(error) }
        }
        throw CheckpointError(
            .noSuchCheckpoint,
            "\(layout.root): there is no checkpoint \(number) (any more)"
        )
    }
}
