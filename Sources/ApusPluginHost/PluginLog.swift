package import ApusCore
import CApusPlugin
import Synchronization

/// What plugins log, on its way to the host's log.
///
/// One per process, because a C function pointer cannot carry a context.  Lines of one instance
/// past 100 in a second are dropped and counted; the count is logged with the next second.
package enum PluginLog {
    /// Takes a line: the level (`APUS_LOG_`), who says it, the text.
    package typealias Sink = @Sendable (_ level: UInt32, _ owner: String, _ text: String) -> Void

    private struct Quota {
        var second: Int64 = 0
        var lines = 0
        var dropped = 0
    }

    private struct State {
        var sink: Sink?
        var clock: (any Clock)?
        var owners: [UInt64: String] = [:]
        var quotas: [UInt64: Quota] = [:]
        var nextInstance: UInt64 = 1
    }

    private static let state = Mutex(State())
    private static let linesPerSecond = 100
    /// The quota of numbers under which no instance is registered.
    private static let nobody = UInt64.max

    /// Sets where lines go.
    ///
    /// Before the first plugin is loaded.
    package static func install(clock: any Clock, sink: @escaping Sink) {
        state.withLock {
            $0.sink = sink
            $0.clock = clock
        }
    }

    /// Logs a line of the host's about a plugin.
    static func say(_ owner: String, _ level: UInt32, _ text: String) {
        state.withLock { $0.sink }?(level, owner, text)
    }

    /// A number for a new instance, under which it logs.
    static func register(_ owner: String) -> UInt64 {
        state.withLock {
            let instance = $0.nextInstance
            $0.nextInstance += 1
            $0.owners[instance] = owner
            return instance
        }
    }

    /// Forgets an instance; what it logs later is said to be from an unknown one.
    static func unregister(_ instance: UInt64) {
        state.withLock {
            $0.owners[instance] = nil
            $0.quotas[instance] = nil
        }
    }

    /// Whether there is an instance of that number.
    static func isRegistered(_ instance: UInt64) -> Bool {
        state.withLock { $0.owners[instance] != nil }
    }

    /// Logs what the host has to say about a plugin.
    ///
    /// Any thread.
    static func warn(_ owner: String, _ text: String) {
        state.withLock { $0.sink }?(UInt32(APUS_LOG_WARNING), owner, text)
    }

    /// Logs a line of an instance.
    ///
    /// Any thread.
    static func write(_ instance: UInt64, _ level: UInt32, _ text: String) {
        let line: (sink: Sink, owner: String, dropped: Int)? = state.withLock { state in
            guard let sink = state.sink, let clock = state.clock else { return nil }
            // Numbers that are nobody's are as many as a plugin likes: they share one quota.
            let known = instance == 0 ? "plugin" : state.owners[instance]
            let owner = known ?? "unknown instance"
            let instance = known == nil ? nobody : instance
            let second = clock.monotonicNanoseconds() / 1_000_000_000
            var quota = state.quotas[instance] ?? Quota()
            let dropped = quota.second == second ? 0 : quota.dropped
            if quota.second != second { quota = Quota(second: second) }
            quota.lines += 1
            let isOver = quota.lines > linesPerSecond
            if isOver { quota.dropped += 1 }
            state.quotas[instance] = quota
            return isOver ? nil : (sink, owner, dropped)
        }
        guard let line else { return }
        if line.dropped > 0 {
            line.sink(
                UInt32(APUS_LOG_WARNING),
                line.owner,
                "\(line.dropped) more lines in that second were dropped"
            )
        }
        line.sink(level, line.owner, text)
    }
}
