import CApusGuard
import CApusPlugin

/// Watches the calls into plugins.
package enum PluginWatch {
    /// Starts it: from now on a callback that does not return is told, and ends the process.
    ///
    /// Warnings go where plugins log, see ``PluginLog``.
    ///
    /// - Parameters:
    ///   - warningMicroseconds: When a warning tells where the callback is; nil for never.
    ///   - timeoutMicroseconds: When it is asked to return; nil for never.
    ///   - graceMicroseconds: How long after that the process ends.
    package static func start(
        warningMicroseconds: Int64?,
        timeoutMicroseconds: Int64?,
        graceMicroseconds: Int64
    ) {
        apus_guard_set_note { owner, text in
            // SAFETY: the guard passes texts that end with a zero and live during the call.
            guard let owner, let text else { return }
            PluginLog.warn(String(cString: owner), String(cString: text))
        }
        func nanoseconds(_ microseconds: Int64?) -> UInt64 { UInt64(microseconds ?? 0) * 1000 }
        var limits = apus_guard_limits(
            warning: nanoseconds(warningMicroseconds),
            timeout: nanoseconds(timeoutMicroseconds),
            grace: nanoseconds(graceMicroseconds)
        )
        apus_guard_start_watchdog(&limits)
    }
}
