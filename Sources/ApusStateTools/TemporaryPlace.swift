import ApusCore

/// A path for a temporary folder that nobody else uses, and that somebody cleans up when this
/// process is killed.
///
/// Beside the folder lies a file that is locked as long as the folder is in use.  Who makes a
/// place removes those of the same kind whose lock nobody has any more.
final class TemporaryPlace {
    private static let lockEnd = ".lock"

    /// Where the folder may be made; there is nothing yet.
    let path: String
    private let disk: any Disk
    private let lock: any FileLock
    private var isOpen = true

    /// Takes a place.
    ///
    /// - Parameters:
    ///   - start: What the path begins with; places with the same beginning are of the same kind.
    ///   - disk: The seam to files.
    ///   - entropy: Gives the rest of the path.
    /// - Throws: ``StateToolError`` when the disk refuses.
    init(_ start: String, disk: any Disk, entropy: any Entropy) throws(StateToolError) {
        self.disk = disk
        Self.sweep(start, disk)
        while true {
            let path = start + ByteText.hexadecimal(BigEndian.bytes(entropy.seed()))
            do throws(DiskError) {
                let lock = try disk.lock(path + Self.lockEnd, .writer)
                // Between making and locking the file somebody may have swept it away.
                guard disk.identity(path + Self.lockEnd) == lock.identity else { continue }
                self.path = path
                self.lock = lock
                return
            } catch {
                guard !error.isLocked else { continue }
                throw StateToolError(
                    .system,
                    "\(error); reading state needs room for a temporary folder there: name another "
                        + "one with --work"
                )
            }
        }
    }

    deinit {
        guard isOpen else { return }
        // The lock ends with this object: the next one sweeps the file away.
        try? disk.remove(path + Self.lockEnd)  // and it is empty but for a number
        lock.release()
    }

    /// Gives the place back; the folder is gone.
    func close() throws(StateToolError) {
        guard isOpen else { return }
        isOpen = false
        try StateToolError.onDisk(try disk.remove(path + Self.lockEnd))
        lock.release()
    }

    /// Removes what killed processes have left.
    private static func sweep(_ start: String, _ disk: any Disk) {
        let folder = StatePurge.parent(of: start)
        let name = start.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
        do throws(DiskError) {
            for entry in try disk.list(folder)
            where entry.name.hasPrefix(name) && entry.name.hasSuffix(lockEnd) {
                let path = folder + "/" + entry.name.dropLast(lockEnd.count)
                let lock: any FileLock
                do throws(DiskError) {
                    lock = try disk.lock(path + lockEnd, .exclusive)
                } catch {
                    // Somebody uses it, or has just removed it.
                    continue
                }
                try disk.removeTree(path)
                try disk.remove(path + lockEnd)
                lock.release()
            }
        } catch {
            // What is left takes space and does no harm; what this place is for may go well.
            return
        }
    }
}
