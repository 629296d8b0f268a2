import ApusCore
import ApusMemory
import ApusTestSupport
import Glibc
import Testing

@testable import ApusState

/// Tables and rows are zeroed or kept as promised, and do not overlap.
@Suite("TableRegions and RowStore")
struct TableRegionsTests {
    @Test(
        "tables of all sizes are zeroed, and nobody else's",
        arguments: 1...4 as ClosedRange<UInt64>
    )
    func tablesAreZeroed(seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        let regions = TableRegions()
        var tables: [(entries: UnsafeMutablePointer<UInt64>, count: Int, mark: UInt64)] = []
        for step in 0..<400 {
            if tables.count < 60, !generator.isOnce(in: 3) {
                // Up to a whole large page, seldom more.
                let power = generator.isOnce(in: 40) ? 19 : generator.number(in: 3...15)
                let entries = regions.allocate(count: 1 << power)
                let bytes = UnsafeRawBufferPointer(start: entries, count: 8 << power)
                try check(Self.isZero(bytes), "seed \(seed), step \(step): a used table")
                let mark = UInt64(step + 1)
                for at in Self.samples(1 << power) { entries[at] = mark }
                tables.append((entries, 1 << power, mark))
            } else if !tables.isEmpty {
                let table = tables.remove(at: generator.number(in: 0...tables.count - 1))
                let isKept = Self.samples(table.count).allSatisfy {
                    table.entries[$0] == table.mark
                }
                try check(isKept, "seed \(seed), step \(step): overwritten")
                regions.free(table.entries, count: table.count)
            }
        }
        for table in tables { regions.free(table.entries, count: table.count) }
        regions.destroy()
    }

    /// Some places of a table, its first and last among them.
    static func samples(_ count: Int) -> [Int] {
        Array(stride(from: 0, to: count, by: max(1, count / 16))) + [count - 1]
    }

    static func isZero(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let start = bytes.baseAddress else { return true }
        // Equal to itself one byte further, and beginning with 0.
        return bytes[0] == 0 && memcmp(start, start + 1, bytes.count - 1) == 0
    }

    @Test(
        "rows keep their content and place, through chunks of all sizes",
        arguments: [32, 40, 4096]
    )
    func rowsKeepTheirContent(rowByteCount: Int) throws {
        let store = RowStore(rowByteCount: rowByteCount)
        defer { store.destroy() }
        let count = rowByteCount > 1000 ? 3_000 : 100_000
        var rows: [RowStore.Row] = []
        for number in 0..<count {
            try check(store.take() == number, "row \(number)")
            rows.append(store[number])
            store[number].storeBytes(of: number, as: Int.self)
            (store[number] + rowByteCount - 8).storeBytes(of: ~number, as: Int.self)
        }
        #expect(store.usedCount == count)
        for number in 0..<count {
            try check(store[number] == rows[number], "row \(number) moved")
            let isKept =
                rows[number].load(as: Int.self) == number
                && (rows[number] + rowByteCount - 8).load(as: Int.self) == ~number
            try check(isKept, "row \(number) was overwritten")
        }
        #expect(Set(rows).count == count)
    }

    @Test("rows that were given back are taken before new ones")
    func rowsAreTakenAgain() throws {
        let store = RowStore(rowByteCount: 32)
        defer { store.destroy() }
        for _ in 0..<200 { _ = store.take() }
        for number in stride(from: 0, to: 200, by: 7) { store.giveBack(number) }
        let free = Set(stride(from: 0, to: 200, by: 7))
        var taken: Set<Int> = []
        for _ in free { taken.insert(try #require(store.take())) }
        #expect(taken == free)
        #expect(store.take() == 200)
        #expect(store.usedCount == 201)
    }
}
