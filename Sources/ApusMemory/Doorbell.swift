import CApusShims
import Synchronization

/// Lets a thread sleep until another one has work for it.
///
/// The owner announces that it will sleep, looks for work once more, and sleeps; a ringer makes
/// its work visible first and rings then.  Both orders are sequentially consistent, so that at
/// least one of the two sees the other.
package final class Doorbell: Sendable {
    private static let awake: UInt32 = 0
    private static let asleep: UInt32 = 1

    private let word: Atomic<UInt32> = Atomic(Doorbell.awake)

    /// Creates a doorbell whose owner is awake.
    package init() {}

    /// Wakes the owner if it sleeps.
    ///
    /// Any thread; costs one load when it does not.
    package func ring() {
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        guard word.load(ordering: .relaxed) == Self.asleep else { return }
        word.store(Self.awake, ordering: .sequentiallyConsistent)
        withAddress { apus_futex_wake($0) }
    }

    /// Sleeps until somebody rings, at most so long.
    ///
    /// The owner only.
    ///
    /// - Parameters:
    ///   - nanoseconds: The longest sleep.
    ///   - hasWork: Asked once after the sleep is announced; true means no sleep.
    package func sleep(nanoseconds: Int64, unless hasWork: () -> Bool) {
        word.store(Self.asleep, ordering: .sequentiallyConsistent)
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        if !hasWork() {
            withAddress { apus_futex_wait($0, Self.asleep, nanoseconds) }
        }
        word.store(Self.awake, ordering: .sequentiallyConsistent)
    }

    private func withAddress(_ body: (UnsafeMutablePointer<UInt32>) -> Void) {
        // SAFETY: the futex needs the address of the atomic word, which is stable because it is
        // stored in this object; the kernel only compares it.
        withUnsafePointer(to: word) { pointer in
            body(UnsafeMutableRawPointer(mutating: pointer).assumingMemoryBound(to: UInt32.self))
        }
    }
}
