import ApusCore
import Glibc

/// The clocks of the kernel.
package struct LinuxClock: Clock {
    /// Creates the seam to the real clocks.
    package init() {}

    // doc: inherited
    package func monotonicNanoseconds() -> Int64 { Self.nanoseconds(of: CLOCK_MONOTONIC) }

    // doc: inherited
    package func wallMicroseconds() -> Int64 { Self.nanoseconds(of: CLOCK_REALTIME) / 1000 }

    private static func nanoseconds(of clock: clockid_t) -> Int64 {
        var time = timespec()
        precondition(clock_gettime(clock, &time) == 0, "every Linux has this clock")
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
