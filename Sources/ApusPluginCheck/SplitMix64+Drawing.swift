import ApusCore

extension SplitMix64 {
    /// A number of a range, all of them as likely, for ranges that are short beside 2^64.
    mutating func integer(in range: ClosedRange<Int>) -> Int {
        Int(time(in: Int64(range.lowerBound)...Int64(range.upperBound)))
    }

    /// The same for times.
    mutating func time(in range: ClosedRange<Int64>) -> Int64 {
        let width = UInt64(bitPattern: range.upperBound &- range.lowerBound) &+ 1
        return range.lowerBound &+ Int64(bitPattern: width == 0 ? next() : next() % width)
    }

    /// The same for bytes.
    mutating func byte(in range: ClosedRange<UInt8>) -> UInt8 {
        UInt8(integer(in: Int(range.lowerBound)...Int(range.upperBound)))
    }

    /// The same for words.
    mutating func word(in range: ClosedRange<UInt64>) -> UInt64 {
        range.lowerBound &+ next() % (range.upperBound &- range.lowerBound &+ 1)
    }
}
