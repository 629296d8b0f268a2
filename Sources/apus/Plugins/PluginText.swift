import ApusPluginHost

/// Loaded plugins, for people.
enum PluginText {
    /// How a plugin is.
    static func text(_ status: PluginStatus) -> String {
        var state = status.state.rawValue
        if !status.users.isEmpty {
            state += " by " + status.users.map(\.name).joined(separator: ", ")
        }
        var lines = [
            "\(status.number)  \(status.id) \(status.version)  \(state)",
            "     file    \(status.file) (\(status.language))",
            "     sha256  \(status.sha256)",
            "     takes   \(status.mappedByteCount) bytes of memory, \(status.threadCount) threads",
        ]
        let reasons = status.reasons.map(\.text).joined(separator: "; ")
        lines.append("     unload  " + (reasons.isEmpty ? "can be unloaded" : "stays: \(reasons)"))
        return lines.joined(separator: "\n")
    }

    /// What has become of a plugin.
    static func text(_ result: PluginUnloading) -> String {
        let name = "\(result.number)  \(result.id) \(result.version)"
        guard !result.isUnloaded else {
            return result.isTrial
                ? "\(name): would be unloaded; \(result.byteCount) bytes of memory"
                : "\(name): unloaded; \(result.byteCount) bytes of memory are free again"
        }
        let reasons = result.reasons.map(\.text).joined(separator: "; ")
        return "\(name): \(result.isTrial ? "would stay" : "stays") resident with "
            + "\(result.byteCount) bytes of memory and \(result.threadCount) threads: \(reasons)"
    }
}
