import Glibc

/// An entry of a buffer, by its key's first 16 bytes.
struct EntryReference {
    /// The key's bytes 0..<8, big-endian, with zeros behind its end.
    var high: UInt64
    /// The key's bytes 8..<16.
    var low: UInt64
    /// The number of the chunk, times 2^32, plus the entry's offset in it: grows with each entry.
    var location: UInt64
}

/// Sorts references to entries by their keys' first 16 bytes; equal ones stay in their order.
///
/// A radix sort: first by the two highest bytes (the key group), then, slice by slice in the
/// processor's cache, byte by byte from the lowest.  Bytes in which all agree cost nothing.
enum EntrySort {
    typealias Place = UnsafeMutablePointer<EntryReference>

    // SAFETY: both places have room for `count` references, of which the first holds them and the
    // second becomes garbage, or the other way round; all indexes come from counts of bytes.

    /// How many references are sorted byte by byte at once: both copies fit the level 2 cache.
    private static let sliceCount = 16 << 10

    /// Sorts the references.
    ///
    /// - Returns: The one of both places that holds the result.
    static func sort(_ references: Place, scratch: Place, count: Int) -> Place {
        guard count > sliceCount else {
            if sortSlice(references, scratch, count) {
                scratch.update(from: references, count: count)
            }
            return scratch
        }
        let starts = scatter(references, to: scratch, count)
        var start = 0
        for end in starts where end - start >= sliceCount || end == count {
            let slice = scratch + start
            if !sortSlice(slice, references + start, end - start) {
                slice.update(from: references + start, count: end - start)
            }
            start = end
        }
        return scratch
    }

    /// Moves references to where those with the same two highest bytes lie.
    ///
    /// - Returns: Where each of the 2^16 groups ends.
    private static func scatter(_ from: Place, to: Place, _ count: Int) -> [Int] {
        var places = [Int](repeating: 0, count: 1 << 16)
        places.withUnsafeMutableBufferPointer { places in
            for index in 0..<count { places[Int(from[index].high >> 48)] &+= 1 }
            var sum = 0
            for group in places.indices {
                let size = places[group]
                places[group] = sum
                sum &+= size
            }
            for index in 0..<count {
                let group = Int(from[index].high >> 48)
                to[places[group]] = from[index]
                places[group] &+= 1
            }
        }
        return places
    }

    /// Sorts references byte by byte.
    ///
    /// - Returns: Whether the result lies in `first`; otherwise it lies in `second`.
    private static func sortSlice(_ first: Place, _ second: Place, _ count: Int) -> Bool {
        guard count > 0 else { return true }
        let low = varying(first, count, \.low)
        let high = varying(first, count, \.high)
        var from = first
        var to = second
        for shift in stride(from: UInt64(0), to: 64, by: 8) where low >> shift & 0xff != 0 {
            pass(from, to, count) { Int(truncatingIfNeeded: $0.low &>> shift & 0xff) }
            swap(&from, &to)
        }
        for shift in stride(from: UInt64(0), to: 64, by: 8) where high >> shift & 0xff != 0 {
            pass(from, to, count) { Int(truncatingIfNeeded: $0.high &>> shift & 0xff) }
            swap(&from, &to)
        }
        return from == first
    }

    /// The bits in which the references do not all agree.
    @inline(__always)
    private static func varying(
        _ references: Place,
        _ count: Int,
        _ word: (EntryReference) -> UInt64
    ) -> UInt64 {
        var all = ~UInt64(0)
        var any: UInt64 = 0
        for index in 0..<count {
            all &= word(references[index])
            any |= word(references[index])
        }
        return all ^ any
    }

    @inline(__always)
    private static func pass(
        _ from: Place,
        _ to: Place,
        _ count: Int,
        _ digit: (EntryReference) -> Int
    ) {
        withUnsafeTemporaryAllocation(of: Int.self, capacity: 256) { places in
            places.initialize(repeating: 0)
            for index in 0..<count { places[digit(from[index])] &+= 1 }
            var sum = 0
            for value in 0..<256 {
                let size = places[value]
                places[value] = sum
                sum &+= size
            }
            for index in 0..<count {
                let value = digit(from[index])
                to[places[value]] = from[index]
                places[value] &+= 1
            }
        }
    }
}
