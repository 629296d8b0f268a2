import ArgumentParser

/// Where a job with checkpoints begins, as `--from` says it.
enum StartPoint: Equatable, ExpressibleByArgument {
    /// The newest checkpoint; there must be one.
    case latest
    /// The newest checkpoint, or the beginning when there has never been one.
    case latestOrNew
    /// The beginning; earlier checkpoints are given up.
    case new
    /// A checkpoint of the job's own folder, by its number.
    case number(UInt64)
    /// A savepoint.
    case path(String)

    /// Reads the option's argument.
    init?(argument: String) {
        switch argument {
        case "latest": self = .latest
        case "latest-or-new": self = .latestOrNew
        case "new": self = .new
        case "": return nil
        default: self = UInt64(argument).map { .number($0) } ?? .path(argument)
        }
    }
}
