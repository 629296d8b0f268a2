/// Where a job keeps its state while it runs.
package enum StateStorage: Sendable, Hashable {
    /// In memory alone: it ends with the process.
    case memory
    /// In memory as far as the budget goes, and in a local database; without a directory the
    /// database lies inside the folder of checkpoints.
    case rocksdb(directory: String?)

    /// The names of the kinds, as `backend:` takes them.
    package static let backendNames = ["rocksdb", "memory"]
}
