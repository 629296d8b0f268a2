import ArgumentParser

/// How the program ends; documented in `apus --help`.
enum ExitStatus {
    /// The job failed while it ran.
    static let failed = ExitCode(1)
    /// A job file, plugin or other input is not valid; nothing ran.
    static let invalid = ExitCode(2)
    /// A plugin has ended the process: a callback did not return, or it called exit(); set by
    /// CApusGuard (`apus_status_of_plugin`).
    static let plugin = ExitCode(3)
    /// Ended at once by a second Ctrl-C.
    static let interrupted = ExitCode(130)
}
