import CApusShims

/// The entries of some buffers, sorted by key, to be written once.
struct SortedEntries: ~Copyable {
    typealias Bytes = UnsafeRawBufferPointer

    // SAFETY: the chunks are the buffers', which live as long as this; the places are ours, from
    // `init` to `deinit`. A location was made from the place where its entry lies.
    private let buffers: [EntryBuffer]
    private var chunks: [UnsafeRawPointer] = []
    private var ranges: [DeletedRange] = []
    private let places: UnsafeMutablePointer<EntryReference>
    private var sorted: UnsafeMutablePointer<EntryReference>
    private var count = 0

    /// Sorts the buffers' entries, oldest buffer first.
    init(_ buffers: [EntryBuffer]) {
        self.buffers = buffers
        let capacity = buffers.reduce(0) { $0 + $1.entryCount }
        places = .allocate(capacity: 2 * capacity)
        sorted = places
        for buffer in buffers { buffer.forEachChunk { add($0) } }
        sorted = EntrySort.sort(places, scratch: places + capacity, count: count)
        sortTies()
    }

    deinit {
        places.deallocate()
    }

    /// Writes what is left of the entries: of equal keys the last one, and nothing that a later
    /// range covers.
    func write(to file: inout SortedRunFile) throws(StoreError) {
        var cover = RangeCover(ranges)
        var index = 0
        while index < count {
            let last = lastOfSameKey(index)
            prefetch(last + 16)
            let reference = sorted[last]
            index = last + 1
            let (kind, key, value) = entry(at: reference.location)
            if !ranges.isEmpty {
                try cover.advance(to: key, file: &file)
                if cover.covers(reference.location) { continue }
            }
            try file.append(key: key, value: kind == .put ? value : nil)
        }
        try cover.finish(file: &file)
    }

    // MARK: - Sorting

    private mutating func add(_ chunk: Bytes) {
        guard let start = chunk.baseAddress else { return }
        let number = UInt64(chunks.count) << 32
        chunks.append(start)
        var offset = 0
        while offset < chunk.count {
            let location = number | UInt64(offset)
            let (kind, key, value) = EntryBuffer.entry(at: start + offset)
            offset += EntryBuffer.headerByteCount + key.count + value.count
            if kind == .deleteRange {
                if key.precedes(value) {
                    ranges.append(DeletedRange(from: key, to: value, location: location))
                }
                continue
            }
            (places + count).initialize(
                to: EntryReference(
                    high: Self.word(key, 0),
                    low: Self.word(key, 8),
                    location: location
                )
            )
            count += 1
        }
    }

    /// The key's eight bytes at an offset, big-endian, with zeros behind its end.
    @inline(__always)
    private static func word(_ key: Bytes, _ offset: Int) -> UInt64 {
        guard let start = key.baseAddress, key.count > offset else { return 0 }
        let rest = key.count - offset
        if rest >= 8 {
            return UInt64(bigEndian: (start + offset).loadUnaligned(as: UInt64.self))
        }
        var word: UInt64 = 0
        for index in 0..<rest { word = word << 8 | UInt64(key[offset + index]) }
        return word << UInt64(8 * (8 - rest))
    }

    /// Sorts what the first 16 bytes could not tell apart.
    private func sortTies() {
        var start = 0
        while start < count {
            var end = start + 1
            while end < count, hasSamePrefix(start, end) { end += 1 }
            if end - start > 1, !areEqualShort(start, end) {
                var ties = UnsafeMutableBufferPointer(start: sorted + start, count: end - start)
                ties.sort { precedes($0.location, $1.location) }
            }
            start = end
        }
    }

    @inline(__always)
    private func hasSamePrefix(_ left: Int, _ right: Int) -> Bool {
        sorted[left].high == sorted[right].high && sorted[left].low == sorted[right].low
    }

    /// Whether all these keys have one length of at most 16 bytes: then they are equal.
    private func areEqualShort(_ start: Int, _ end: Int) -> Bool {
        let length = entry(at: sorted[start].location).key.count
        guard length <= 16 else { return false }
        return (start + 1..<end).allSatisfy { entry(at: sorted[$0].location).key.count == length }
    }

    private func precedes(_ left: UInt64, _ right: UInt64) -> Bool {
        let leftKey = entry(at: left).key
        let rightKey = entry(at: right).key
        if leftKey.precedes(rightKey) { return true }
        return left < right && !rightKey.precedes(leftKey)
    }

    // MARK: - Access

    private func lastOfSameKey(_ index: Int) -> Int {
        var last = index
        while last + 1 < count, hasSamePrefix(last, last + 1) {
            let key = entry(at: sorted[last].location).key
            let next = entry(at: sorted[last + 1].location).key
            // Sorted: what does not come before is equal.
            if key.precedes(next) { break }
            last += 1
        }
        return last
    }

    @inline(__always)
    private func prefetch(_ index: Int) {
        guard index < count else { return }
        let location = sorted[index].location
        apus_prefetch(chunks[Int(location >> 32)] + Int(location & 0xffff_ffff))
    }

    @inline(__always)
    private func entry(at location: UInt64) -> (kind: EntryBuffer.Kind, key: Bytes, value: Bytes) {
        EntryBuffer.entry(at: chunks[Int(location >> 32)] + Int(location & 0xffff_ffff))
    }
}
