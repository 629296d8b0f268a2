package import ApusCore

extension SplitMix64 {
    /// A number in a range.
    package mutating func number(in range: ClosedRange<Int>) -> Int {
        Int.random(in: range, using: &self)
    }

    /// True once in so many times.
    package mutating func isOnce(in count: Int) -> Bool {
        number(in: 1...count) == 1
    }

    /// So many random bytes.
    package mutating func bytes(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        while bytes.count < count {
            var word = next()
            for _ in 0..<min(8, count - bytes.count) {
                bytes.append(UInt8(truncatingIfNeeded: word))
                word >>= 8
            }
        }
        return bytes
    }

    /// A length at which slices change: in place or not, one hash path or another.
    package mutating func sliceLength(upTo limit: Int) -> Int {
        let edges = [0, 1, 3, 4, 5, 7, 8, 9, 11, 12, 13, 14, 16, 17, limit]
        let length = isOnce(in: 3) ? number(in: 0...limit) : edges[number(in: 0...edges.count - 1)]
        return min(length, limit)
    }
}
