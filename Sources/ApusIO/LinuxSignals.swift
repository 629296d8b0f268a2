package import ApusCore
import Glibc

/// The signals that ask a program to end, taken by waiting for them instead of by handlers.
///
/// They are blocked in the thread that calls ``block()`` and in all threads that it starts later,
/// and wait in the kernel until ``next(waitingMilliseconds:)`` takes them.
package enum LinuxSignals {
    /// A request to end.
    package typealias Request = EndRequest

    /// Blocks SIGINT and SIGTERM; ignores SIGPIPE, so that a closed pipe is an error of `write`.
    ///
    /// The main thread, before any other thread starts.
    package static func block() {
        var set = requests()
        pthread_sigmask(SIG_BLOCK, &set, nil)
        signal(SIGPIPE, SIG_IGN)
    }

    /// Waits for a request; nil when none came in that time.
    package static func next(waitingMilliseconds: Int) -> Request? {
        var set = requests()
        var time = timespec(
            tv_sec: waitingMilliseconds / 1000,
            tv_nsec: waitingMilliseconds % 1000 * 1_000_000
        )
        // SAFETY: both are local and outlive the call.
        switch sigtimedwait(&set, nil, &time) {
        case SIGINT: return .interrupt
        case SIGTERM: return .terminate
        default: return nil
        }
    }

    private static func requests() -> sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, SIGINT)
        sigaddset(&set, SIGTERM)
        return set
    }
}
