package import ApusCheckpoint
import ApusState
package import ApusStore

/// State that a job gives up when it goes on from a checkpoint.
package enum DroppedState {
    /// The key group under which wake-ups are filed.
    private static let wakeGroup = 0xffff

    /// Removes what operators have left whose part of the checkpoint is given up.
    ///
    /// The database is a copy: the checkpoint itself, and those before it, keep it.
    ///
    /// - Parameters:
    ///   - ids: What is given up; ids of sources and sinks have no state.
    ///   - manifest: The checkpoint that the database was made from.
    ///   - database: Where the entries are; nobody else uses it yet.
    ///   - directory: A folder on the database's file system.
    /// - Throws: ``StateToolError`` when the disk refuses.
    package static func remove(
        _ ids: [String],
        of manifest: Manifest,
        from database: StateDatabase,
        directory: String
    ) throws(StateToolError) {
        // Rows of an operator's older versions are listed as `id@number`.
        let numbers = manifest.operators.filter { state in
            ids.contains { state.id == $0 || state.id.hasPrefix("\($0)@") }
        }
        .map(\.number)
        guard !numbers.isEmpty else { return }
        let buffer = EntryBuffer()
        for number in numbers {
            for group in Array(0..<manifest.maxParallelism) + [wakeGroup] {
                let prefix = StoredKey.prefix(group: group, operatorNumber: number)
                buffer.deleteRange(from: prefix, to: StoredKey.end(of: prefix))
            }
        }
        do throws(StoreError) {
            let run = try SortedRun.write([buffer], directory: directory, name: "dropped")
            try database.ingest(run.paths)
        } catch {
            throw StateToolError(error)
        }
    }
}
