/// A sequence of numbers that depends on the seed alone (SplitMix64 by Sebastiano Vigna).
///
/// The standard library does not promise that its ways to bound, shuffle or pick stay the same from
/// release to release, so everything that turns a number into a choice is written here, in
/// integers.  A line of generated data must never change.
struct SeededRandom {
    private var state: UInt64

    /// Starts the sequence of a seed.
    init(seed: UInt64) {
        state = seed
    }

    /// Starts a sequence of its own for one of many things that share a seed.
    init(seed: UInt64, stream: UInt64) {
        var seeds = SeededRandom(seed: seed ^ (stream &* 0xd1b5_4a32_d192_ed03))
        state = seeds.next()
    }

    /// The next number.
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    /// The next number in `0..<bound`: the high half of the product with a number.
    ///
    /// Uneven by less than `bound` / 2^64, which no sample can show.
    ///
    /// - Precondition: `bound` is not 0.
    mutating func next(below bound: UInt64) -> UInt64 {
        precondition(bound > 0, "there is no number below 0")
        return next().multipliedFullWidth(by: bound).high
    }

    /// The next number in a range.
    ///
    /// - Precondition: `range` is shorter than 2^63.
    mutating func next(in range: ClosedRange<Int64>) -> Int64 {
        range.lowerBound + Int64(next(below: UInt64(range.upperBound - range.lowerBound) + 1))
    }

    /// Whether something happens whose probability is given in percent.
    mutating func happens(percent: UInt64) -> Bool {
        next(below: 100) < percent
    }

    /// Any one of a few things.
    ///
    /// - Precondition: `choices` is not empty.
    mutating func pick<Choice>(_ choices: [Choice]) -> Choice {
        choices[Int(next(below: UInt64(choices.count)))]
    }
}
