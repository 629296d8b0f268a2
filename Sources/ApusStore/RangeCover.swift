/// A range of keys that were taken away.
struct DeletedRange {
    /// The first key.
    var from: UnsafeRawBufferPointer
    /// The key behind the last.
    var to: UnsafeRawBufferPointer
    /// When it was put, as ``EntryReference/location``.
    var location: UInt64
}

/// Goes through sorted ranges beside sorted keys, and knows which keys later ranges cover.
///
/// It hands the ranges to the file as well, merged where they touch: in a file all have the same
/// age, and none covers a key of its own file.
struct RangeCover {
    typealias Bytes = UnsafeRawBufferPointer

    // SAFETY: all bytes are those of the buffers that are being written, which live longer.
    private let ranges: [DeletedRange]
    /// The next range that begins behind the current key.
    private var next = 0
    /// The next merged range to hand on.
    private var nextMerged = 0
    /// Ranges that began, the latest put on top; those that ended go once they are on top.
    private var begun: [DeletedRange] = []

    /// Sorts the ranges.
    init(_ ranges: [DeletedRange]) {
        self.ranges = ranges.sorted { $0.from.precedes($1.from) }
    }

    /// Goes on to a key, the last one's successor or further.
    mutating func advance(to key: Bytes, file: inout SortedRunFile) throws(StoreError) {
        while next < ranges.count, !key.precedes(ranges[next].from) {
            push(ranges[next])
            next += 1
        }
        while let top = begun.first, !key.precedes(top.to) { pop() }
        try handOn(upTo: next, file: &file)
    }

    /// Whether a range that was put later covers an entry of the current key.
    func covers(_ location: UInt64) -> Bool {
        begun.first.map { $0.location > location } ?? false
    }

    /// Hands on the ranges that are left.
    mutating func finish(file: inout SortedRunFile) throws(StoreError) {
        try handOn(upTo: ranges.count, file: &file)
    }

    /// Hands on merged ranges whose first part begins in front of a range.
    private mutating func handOn(upTo end: Int, file: inout SortedRunFile) throws(StoreError) {
        while nextMerged < end {
            let from = ranges[nextMerged].from
            var to = ranges[nextMerged].to
            nextMerged += 1
            while nextMerged < ranges.count, !to.precedes(ranges[nextMerged].from) {
                if to.precedes(ranges[nextMerged].to) { to = ranges[nextMerged].to }
                nextMerged += 1
            }
            try file.deleteRange(from: from, to: to)
        }
    }

    // MARK: - A heap, the latest put on top

    private mutating func push(_ range: DeletedRange) {
        begun.append(range)
        var at = begun.count - 1
        while at > 0, begun[(at - 1) / 2].location < begun[at].location {
            begun.swapAt(at, (at - 1) / 2)
            at = (at - 1) / 2
        }
    }

    private mutating func pop() {
        begun.swapAt(0, begun.count - 1)
        begun.removeLast()
        var at = 0
        while true {
            var latest = at
            for child in [2 * at + 1, 2 * at + 2] where child < begun.count {
                if begun[child].location > begun[latest].location { latest = child }
            }
            guard latest != at else { return }
            begun.swapAt(at, latest)
            at = latest
        }
    }
}
