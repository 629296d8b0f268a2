import ApusCore
import Glibc

/// The random numbers of the kernel.
package struct LinuxEntropy: Entropy {
    /// Creates the seam to the real randomness.
    package init() {}

    // doc: inherited
    package func seed() -> UInt64 {
        var bits: UInt64 = 0
        // getentropy is glibc's face of getrandom; it waits, is not interrupted, and fills all.
        let status = getentropy(&bits, MemoryLayout<UInt64>.size)
        precondition(status == 0, "every Linux since 3.17 has random numbers")
        return bits
    }
}
