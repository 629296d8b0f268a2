/// How a call ended that is made as a whole.
package enum CallResult: Equatable {
    /// It is done.
    case done
    /// It failed for now, for that reason, and may be made again.
    case retry(String)
    /// The instance cannot go on.
    case failed(PluginError)
}
