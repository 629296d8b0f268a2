import ApusMemory

/// Rows of equal size, known by number, that never move.
///
/// Chunks double: chunk k holds 64 × 2^k rows, so that 27 chunks hold four billion, and the chunk
/// of a row follows from the highest bit of its number + 64.  Chunks of a large page and more are
/// mapped in large pages.  A handle on memory that ``destroy()`` frees; one thread.
struct RowStore {
    typealias Row = UnsafeMutableRawPointer

    private static let firstShift = 6
    private static let chunkCountMax = 27
    /// Row numbers + 1 fill 32 bits of an index entry.
    private static let rowCountMax = Int(UInt32.max) - 64

    private struct Core {
        var chunkCount: Int
        var usedCount: Int
        var nextRow: Int
        var freeRow: Int
    }

    private let core: UnsafeMutablePointer<Core>
    /// Where row 0 of each chunk would be if the chunk's rows were numbered from 0.
    private let bases: UnsafeMutablePointer<Row>
    private let rowByteCount: Int

    init(rowByteCount: Int) {
        self.rowByteCount = rowByteCount
        // SAFETY: freed in destroy(), which the owner calls once.
        core = .allocate(capacity: 1)
        core.initialize(to: Core(chunkCount: 0, usedCount: 0, nextRow: 0, freeRow: -1))
        bases = .allocate(capacity: Self.chunkCountMax)
    }

    func destroy() {
        for chunk in 0..<core.pointee.chunkCount {
            let byteCount = chunkByteCount(chunk)
            if isMapped(byteCount) {
                LargePages.unmap(bases[chunk], byteCount)
            } else {
                bases[chunk].deallocate()
            }
        }
        bases.deallocate()
        core.deallocate()
    }

    /// How many rows are taken.
    var usedCount: Int { core.pointee.usedCount }

    /// All rows that were ever taken have numbers less than this.
    var numberEnd: Int { core.pointee.nextRow }

    /// The row with a number.
    @inline(__always)
    subscript(number: Int) -> Row {
        let shifted = number &+ 1 &<< Self.firstShift
        let top = Int.bitWidth &- 1 &- shifted.leadingZeroBitCount
        return bases[top &- Self.firstShift] + (shifted &- 1 &<< top) &* rowByteCount
    }

    /// A row's number, for a row with arbitrary content; nil when there are too many.
    func take() -> Int? {
        if core.pointee.freeRow >= 0 {
            let number = core.pointee.freeRow
            core.pointee.freeRow = self[number].load(as: Int.self)
            core.pointee.usedCount += 1
            return number
        }
        let number = core.pointee.nextRow
        guard number < Self.rowCountMax else { return nil }
        let shifted = number + 1 << Self.firstShift
        let chunk = Int.bitWidth - 1 - shifted.leadingZeroBitCount - Self.firstShift
        if chunk >= core.pointee.chunkCount { addChunk() }
        core.pointee.nextRow += 1
        core.pointee.usedCount += 1
        return number
    }

    /// Gives a row back.
    func giveBack(_ number: Int) {
        self[number].storeBytes(of: core.pointee.freeRow, as: Int.self)
        core.pointee.freeRow = number
        core.pointee.usedCount -= 1
    }

    /// Has memory for so many rows at hand; before the first row.
    func reserve(_ count: Int, until isEnough: () -> Bool) {
        var left = min(count, Self.rowCountMax)
        while left > 0, core.pointee.chunkCount < Self.chunkCountMax, !isEnough() {
            let chunk = core.pointee.chunkCount
            addChunk()
            let rowCount = min(left, 1 << (chunk + Self.firstShift))
            if isMapped(chunkByteCount(chunk)) {
                FreshPages.touch(bases[chunk], rowCount * rowByteCount, until: isEnough)
            }
            left -= rowCount
        }
    }

    private func chunkByteCount(_ chunk: Int) -> Int {
        let byteCount = rowByteCount << (chunk + Self.firstShift)
        let page = LargePages.byteCount
        return byteCount < page ? byteCount : (byteCount + page - 1) / page * page
    }

    private func isMapped(_ byteCount: Int) -> Bool { byteCount >= LargePages.byteCount }

    private func addChunk() {
        let byteCount = chunkByteCount(core.pointee.chunkCount)
        let chunk: Row
        if isMapped(byteCount) {
            chunk = LargePages.map(byteCount)
        } else {
            chunk = Row.allocate(byteCount: byteCount, alignment: 64)
            // As mapped memory is: the marks of places that were never taken are read.
            chunk.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
        }
        bases[core.pointee.chunkCount] = chunk
        core.pointee.chunkCount += 1
    }
}
