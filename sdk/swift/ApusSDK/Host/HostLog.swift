import CApusPlugin

/// How important a line of the log is.
public enum LogLevel: UInt32, Sendable {
    /// For who writes the plugin.
    case debug = 1
    /// Something that is as it should be.
    case info = 2
    /// Something that somebody should look at some time.
    case warning = 3
    /// Something that somebody should look at now.
    case error = 4
}

/// The host's log.
enum HostLog {
    /// The host that loaded this plugin.
    ///
    /// `nonisolated(unsafe)` because the entry function sets it before anything else runs.
    nonisolated(unsafe) static var host: UnsafePointer<apus_host>?

    static func write(_ instance: UInt64, _ level: LogLevel, _ message: () -> String) {
        // SAFETY: the host's struct is valid for the life of the process; it copies the text.
        guard let host, let minimum = host.pointee.log_level, level.rawValue >= minimum.pointee
        else { return }
        var text = message()
        text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { characters in
                host.pointee.log(
                    instance,
                    level.rawValue,
                    characters.baseAddress,
                    UInt64(characters.count)
                )
            }
        }
    }
}
