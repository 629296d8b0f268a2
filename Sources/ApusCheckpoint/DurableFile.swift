import ApusCore

/// A small file on its way to its name: whoever looks sees all of it or nothing.
///
/// In two steps, so that callers can say where they are in between.  No step is tried twice: after
/// a failure the bytes are no longer to be trusted, and a new attempt takes a new name.
struct DurableFile {
    let disk: any Disk
    /// Where the file will be.
    let path: String
    /// Where it is until then, in the same folder.
    let temporary: String

    /// Writes the bytes under the temporary name and waits until they are on the disk.
    ///
    /// - Throws: ``CheckpointError``; nothing is at the path that was not there before.
    func write(_ bytes: [UInt8]) throws(CheckpointError) {
        do throws(DiskError) {
            let file = try disk.create(temporary)
            try file.write(bytes)
            try file.synchronize()
            try file.close()
        } catch {
            removeTemporary()
            throw CheckpointError(error)
        }
    }

    /// Gives the file its name; the name is not on the disk before the folder is synchronised.
    ///
    /// - Throws: ``CheckpointError``; the file at the path is the old one or the new one.
    func publish() throws(CheckpointError) {
        do throws(DiskError) {
            try disk.rename(temporary, to: path)
        } catch {
            removeTemporary()
            throw CheckpointError(error)
        }
    }

    private func removeTemporary() {
        // What stays is swept away when the folder is opened the next time.
        try? disk.remove(temporary)  // and is in nobody's way until then
    }
}
