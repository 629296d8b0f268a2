/// How a callback over records ended.
package enum CallOutcome: Equatable {
    /// All records are done.
    case done
    /// Call again from this record, after the outputs are drained.
    case again(at: Int)
    /// This record is bad, for that reason; go on behind it.
    case badRecord(at: Int, reason: String)
    /// The instance cannot go on.
    case failed(PluginError)
}
