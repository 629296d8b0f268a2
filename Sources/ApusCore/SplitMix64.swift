/// Sebastiano Vigna's SplitMix64: a sequence of 64-bit numbers that depends on the seed alone.
///
/// For generated data and for tests, which print their seed.  Not for secrets.
package struct SplitMix64: RandomNumberGenerator, Sendable {
    /// The state; the n-th number is ``mix(_:)`` of seed + n × the golden gamma.
    package var state: UInt64

    /// Creates the sequence that belongs to a seed.
    package init(seed: UInt64) {
        state = seed
    }

    /// What is added to the state for each number.
    package static let gamma: UInt64 = 0x9e37_79b9_7f4a_7c15

    /// The finaliser: maps a state to a number, one to one.
    @inlinable
    package static func mix(_ state: UInt64) -> UInt64 {
        var z = state
        z = (z ^ (z &>> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z &>> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z &>> 31)
    }

    /// The next number.
    @inlinable
    package mutating func next() -> UInt64 {
        state = state &+ 0x9e37_79b9_7f4a_7c15
        return Self.mix(state)
    }
}
