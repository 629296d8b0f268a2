import ApusCore

/// How long a plugin's source that failed for now is left alone.
struct PluginPause {
    private static let shortest: Int64 = 10_000_000
    private static let longest: Int64 = 1_000_000_000

    private var until = Int64.min
    private var next = PluginPause.shortest
    /// Whether the last call failed for now.
    private(set) var isWaiting = false

    /// Whether it is still to be left alone.
    func holds(at now: Int64) -> Bool { isWaiting && now < until }

    /// Notes that it failed; each time in a row it is left alone twice as long.
    ///
    /// - Returns: Whether it is the first time in a row.
    mutating func begin(at now: Int64) -> Bool {
        defer { isWaiting = true }
        until = now + next
        next = min(2 * next, Self.longest)
        return !isWaiting
    }

    /// Notes that it went well.
    ///
    /// - Returns: Whether it had failed before.
    mutating func end() -> Bool {
        defer { self = PluginPause() }
        return isWaiting
    }
}
