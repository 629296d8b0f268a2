import ApusCore
import ApusTestSupport
import Testing

@testable import ApusMemory

/// Blocks do not overlap, keep their content, and are all accounted for.
@Suite("BlockPool")
struct BlockPoolTests {
    struct Block {
        let start: UnsafeMutableRawPointer
        let byteCount: Int
        let mark: UInt8
    }

    @Test("rounds sizes up by at most a half, and to themselves when asked again")
    func roundsSizesUp() {
        for byteCount in 0...70_000 {
            let size = BlockPool.blockByteCount(for: byteCount)
            let isRight =
                size >= byteCount && size % 16 == 0 && BlockPool.blockByteCount(for: size) == size
                && (byteCount < 32 || size <= byteCount + byteCount / 2)
            if !isRight {
                Issue.record("\(byteCount) bytes become \(size)")
                return
            }
        }
        #expect(BlockPool.blockByteCount(for: 0) == 16)
        #expect(BlockPool.blockByteCount(for: 32_768) == 32_768)
        #expect(BlockPool.blockByteCount(for: 32_769) == 36_864)
    }

    @Test(
        "keeps the content of every block, and its accounts",
        arguments: [(1, 64), (2, 300), (3, 5_000), (4, 40_000), (5, 100_000)] as [(UInt64, Int)]
    )
    func keepsTheContentOfEveryBlock(seed: UInt64, byteCountMax: Int) throws {
        var generator = SplitMix64(seed: seed)
        var pool = BlockPool()
        var blocks: [Block] = []
        var used = 0
        for step in 0..<4_000 {
            let isGrowing = step % 1_000 < 600
            if blocks.isEmpty || generator.isOnce(in: 3) != isGrowing {
                let byteCount = generator.number(in: 0...byteCountMax)
                let start = pool.allocate(byteCount)
                try check(Int(bitPattern: start) % 16 == 0, "seed \(seed): alignment")
                let mark = UInt8(truncatingIfNeeded: step)
                let size = BlockPool.blockByteCount(for: byteCount)
                // All of the block may be written, not only what was asked for.
                start.initializeMemory(as: UInt8.self, repeating: mark, count: size)
                blocks.append(Block(start: start, byteCount: byteCount, mark: mark))
                used += size
            } else {
                let block = blocks.remove(at: generator.number(in: 0...blocks.count - 1))
                try Self.checkContent(of: block, "seed \(seed), step \(step)")
                pool.deallocate(block.start, block.byteCount)
                used -= BlockPool.blockByteCount(for: block.byteCount)
            }
            try check(pool.usedByteCount == used, "seed \(seed), step \(step): accounts")
            try check(pool.reservedByteCount >= used, "seed \(seed), step \(step): reserved")
        }
        for block in blocks {
            try Self.checkContent(of: block, "seed \(seed), at the end")
            pool.deallocate(block.start, block.byteCount)
        }
        #expect(pool.usedByteCount == 0)
    }

    static func checkContent(of block: Block, _ context: String) throws {
        let size = BlockPool.blockByteCount(for: block.byteCount)
        let content = UnsafeRawBufferPointer(start: block.start, count: size)
        try check(content.allSatisfy { $0 == block.mark }, "\(context): somebody wrote into it")
    }

    @Test("takes no more from the system for what was freed before")
    func takesNoMoreForWhatWasFreed() {
        var pool = BlockPool()
        #expect(pool.reservedByteCount == 0)
        var reserved = 0
        for round in 0..<20 {
            let sizes = Array(stride(from: 1, through: 60_000, by: 777))
            let blocks = sizes.map { pool.allocate($0) }
            if round == 0 { reserved = pool.reservedByteCount }
            #expect(pool.reservedByteCount == reserved, "round \(round)")
            for (block, size) in zip(blocks, sizes) { pool.deallocate(block, size) }
            #expect(pool.usedByteCount == 0)
        }
    }

    @Test("returns large blocks to the system at once")
    func returnsLargeBlocks() {
        var pool = BlockPool()
        let block = pool.allocate(1 << 20)
        #expect(pool.reservedByteCount == 1 << 20)
        pool.deallocate(block, 1 << 20)
        #expect(pool.reservedByteCount == 0)
        _ = pool.allocate(40_000)
        #expect(pool.usedByteCount == 40_960, "freed with the pool")
    }
}
