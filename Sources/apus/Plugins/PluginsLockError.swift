/// What is wrong with a list of plugins, or with a key.
struct PluginsLockError: Error, Equatable, CustomStringConvertible {
    /// The file, then what was expected and found.
    let description: String

    init(_ file: String, _ message: String) {
        description = "\(file): \(message)"
    }
}
