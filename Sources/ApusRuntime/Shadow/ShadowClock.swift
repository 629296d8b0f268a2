import ApusCore
import Synchronization

/// The time as it was in the job when the step in hand was made.
final class ShadowClock: Clock {
    private let clock: any Clock
    private let wall: Atomic<Int64> = Atomic(0)

    /// Creates a clock; time-outs and measurements go by another one.
    init(_ clock: any Clock) { self.clock = clock }

    // doc: inherited
    func monotonicNanoseconds() -> Int64 { clock.monotonicNanoseconds() }

    // doc: inherited
    func wallMicroseconds() -> Int64 { wall.load(ordering: .relaxed) }

    /// Sets the clock on the wall.
    func set(wallMicroseconds: Int64) { wall.store(wallMicroseconds, ordering: .relaxed) }
}
