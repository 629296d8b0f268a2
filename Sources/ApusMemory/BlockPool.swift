/// Memory for state: blocks in size classes, cut from chunks, reused when freed.
///
/// Size classes are 16, 32, 48, 64, 96, 128, 192, … 32,768 bytes (two per power of two); larger
/// blocks come from the system one by one.  One thread; a block never moves.
package struct BlockPool: ~Copyable {
    private static let chunkByteCount = 1 << 20
    private static let pooledByteCountMax = 32_768
    private static let classCount = 24

    private var chunks: [UnsafeMutableRawPointer] = []
    /// Those of them that nothing was cut from yet.
    private var spareCount = 0
    private var free: UnsafeMutablePointer<UnsafeMutableRawPointer?>
    private var cursor: UnsafeMutableRawPointer?
    private var remaining = 0
    private var large: Set<UnsafeMutableRawPointer> = []

    /// Bytes in blocks that are in use, by class size.
    package private(set) var usedByteCount = 0
    /// Bytes taken from the system.
    package private(set) var reservedByteCount = 0

    /// Creates an empty pool; takes no memory yet.
    package init() {
        // SAFETY: freed in deinit, with all chunks and large blocks.
        free = .allocate(capacity: Self.classCount)
        free.initialize(repeating: nil, count: Self.classCount)
    }

    deinit {
        for chunk in chunks { chunk.deallocate() }
        for block in large { block.deallocate() }
        free.deallocate()
    }

    /// The size of the block that ``allocate(_:)`` returns for so many bytes.
    package static func blockByteCount(for byteCount: Int) -> Int {
        if byteCount <= 16 { return 16 }
        if byteCount > pooledByteCountMax { return (byteCount + 4095) & ~4095 }
        let power = 1 << (Int.bitWidth - (byteCount - 1).leadingZeroBitCount)
        let between = power / 4 * 3
        return byteCount <= between && between >= 48 ? between : power
    }

    /// A block of at least so many bytes, aligned to 16, with arbitrary content.
    package mutating func allocate(_ byteCount: Int) -> UnsafeMutableRawPointer {
        let size = Self.blockByteCount(for: byteCount)
        usedByteCount += size
        guard size <= Self.pooledByteCountMax else {
            let block = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 64)
            large.insert(block)
            reservedByteCount += size
            return block
        }
        let index = Self.classIndex(ofBlock: size)
        if let block = free[index] {
            // SAFETY: a free block's first word is the link to the next free one.
            free[index] = block.load(as: UnsafeMutableRawPointer?.self)
            return block
        }
        if remaining < size { takeChunk() }
        guard let block = cursor else { preconditionFailure("a chunk was just taken") }
        cursor = block + size
        remaining -= size
        return block
    }

    /// Gives a block back.
    ///
    /// - Parameters:
    ///   - block: A block of this pool.
    ///   - byteCount: What it was allocated with (or anything with the same block size).
    package mutating func deallocate(_ block: UnsafeMutableRawPointer, _ byteCount: Int) {
        let size = Self.blockByteCount(for: byteCount)
        usedByteCount -= size
        guard size <= Self.pooledByteCountMax else {
            large.remove(block)
            reservedByteCount -= size
            block.deallocate()
            return
        }
        let index = Self.classIndex(ofBlock: size)
        block.storeBytes(of: free[index], as: UnsafeMutableRawPointer?.self)
        free[index] = block
    }

    private static func classIndex(ofBlock size: Int) -> Int {
        // 16 -> 0, 32 -> 1, 48 -> 2, 64 -> 3, 96 -> 4, 128 -> 5, ...
        let log = Int.bitWidth - 1 - size.leadingZeroBitCount
        let isPower = size & (size - 1) == 0
        if size <= 32 { return log - 4 }
        return isPower ? 2 * log - 9 : 2 * log - 8
    }

    /// Has memory for so many bytes in blocks at hand.
    ///
    /// - Parameters:
    ///   - byteCount: Of blocks to come.
    ///   - isEnough: Asked now and then whether to stop.
    package mutating func reserve(_ byteCount: Int, until isEnough: () -> Bool) {
        let count = (byteCount + Self.chunkByteCount - 1) / Self.chunkByteCount
        while spareCount < count, !isEnough() {
            let chunk = addChunk()
            FreshPages.touch(chunk, Self.chunkByteCount, until: isEnough)
            spareCount += 1
        }
    }

    private mutating func takeChunk() {
        // What remains of the old chunk is less than one block of this size: left unused.
        if spareCount > 0 {
            cursor = chunks[chunks.count - spareCount]
            spareCount -= 1
        } else {
            cursor = addChunk()
        }
        remaining = Self.chunkByteCount
    }

    private mutating func addChunk() -> UnsafeMutableRawPointer {
        let chunk = UnsafeMutableRawPointer.allocate(
            byteCount: Self.chunkByteCount,
            alignment: 64
        )
        chunks.append(chunk)
        reservedByteCount += Self.chunkByteCount
        return chunk
    }
}
