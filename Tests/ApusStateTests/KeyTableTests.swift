import ApusCore
import ApusMemory
import ApusTestSupport
import CApusPlugin
import Testing

@testable import ApusState

/// The table finds what was added and nothing else, also where hashes collide in every way.
@Suite("KeyTable")
struct KeyTableTests {
    /// A table, its model, and keys of up to 12 bytes, which need no memory of their own.
    final class Run {
        let table: KeyTable
        let hash: (Int) -> UInt64
        let batch: RecordBatch
        var rows: [Int: KeyTable.Row] = [:]

        init(groupCount: Int, keyCount: Int, hash: @escaping (Int) -> UInt64) {
            table = KeyTable(rowByteCount: 48, groups: KeyGroups(count: groupCount))
            self.hash = hash
            batch = RecordBatch(recordCapacity: keyCount, arenaCapacity: 16)
            for number in 0..<keyCount {
                let key = withUnsafeBytes(of: number) { Array($0) }
                _ = batch.append(key: key, value: [])
                batch.hashes[number] = hash(number)
            }
        }

        deinit { table.destroy() }

        func find(_ number: Int) -> KeyTable.Row? {
            table.find(hash(number), batch.keys + number, UnsafePointer(batch.buffers))
        }

        func insert(_ number: Int) throws {
            guard let row = table.insert(hash(number), batch.keys + number, longKey: nil) else {
                return try check(false, "a row for \(number)")
            }
            // What a row holds behind its header is zero at first, whoever had it before.
            try check((row + 40).load(as: Int.self) == 0, "row \(number) is not zeroed")
            try check((row + 24).load(as: Int.self) == 0, "row \(number) is not zeroed")
            (row + 40).storeBytes(of: number + 1, as: Int.self)
            rows[number] = row
        }

        func remove(_ number: Int) {
            guard let row = rows.removeValue(forKey: number) else { return }
            table.remove(row)
        }

        /// Looks every key up, one by one and as a batch, and walks over all rows.
        func compare(_ context: String) throws {
            try check(table.rowCount == rows.count, "\(context): \(table.rowCount) rows")
            for number in 0..<batch.count {
                try check(find(number) == rows[number], "\(context): key \(number)")
            }
            let found = UnsafeMutablePointer<KeyTable.Row?>.allocate(capacity: batch.count)
            defer { found.deallocate() }
            var view = batch.view(input: 0, isKeyed: true)
            withUnsafePointer(to: &view) { table.find($0, 0, batch.count, into: found) }
            for number in 0..<batch.count {
                try check(found[number] == rows[number], "\(context): key \(number) of a batch")
            }
            var walked: Set<KeyTable.Row> = []
            table.forEachRow { walked.insert($0) }
            try check(walked == Set(rows.values), "\(context): walking")
            for (number, row) in rows {
                let mark = (row + 40).load(as: Int.self)
                try check(mark == number + 1, "\(context): the content of row \(number)")
            }
        }
    }

    /// Ways to hash 2,000 keys badly.
    enum Hashing: String, CaseIterable {
        case good
        case equal
        case equalLowBits
        case consecutive
        case fewTags
        case wrappingAround
        case oneGroup

        func hash(_ number: Int) -> UInt64 {
            let mixed = SplitMix64.mix(UInt64(number))
            return switch self {
            case .good: mixed
            case .equal: 0x1234_5678_9abc_def0
            case .equalLowBits: mixed & ~0xfff_ffff
            case .consecutive: UInt64(number)
            case .fewTags: mixed & 0xffff_ffff_0000_0003
            // Runs that begin before the end of a table and go on at its start.
            case .wrappingAround: 0xffff_fff8 + UInt64(number % 8)
            case .oneGroup: mixed & 0x0000_0000_ffff_ffff
            }
        }
    }

    @Test(
        "agrees with a dictionary, however bad the hashes are",
        arguments: Hashing.allCases,
        [1, 2, 1024]
    )
    func agreesWithADictionary(hashing: Hashing, groupCount: Int) throws {
        // With equal hashes each look-up is a walk over all keys.
        let isSlow = [.equal, .equalLowBits, .fewTags, .wrappingAround].contains(hashing)
        let keyCount = isSlow ? 150 : 1_500
        for seed in 1...2 as ClosedRange<UInt64> {
            var generator = SplitMix64(seed: seed)
            let run = Run(groupCount: groupCount, keyCount: keyCount, hash: hashing.hash)
            for round in 0..<8 {
                let context = "seed \(seed), \(hashing), round \(round)"
                // Filling up, emptying, and both at once.
                let insertShare = [9, 5, 1, 9, 0, 5, 9, 1][round]
                for _ in 0..<keyCount {
                    let number = generator.number(in: 0...keyCount - 1)
                    let isInserting = generator.number(in: 0...9) < insertShare
                    if isInserting, run.rows[number] == nil {
                        try run.insert(number)
                    } else if !isInserting {
                        run.remove(number)
                    }
                }
                try run.compare(context)
            }
            for number in 0..<keyCount { run.remove(number) }
            try run.compare("seed \(seed), \(hashing), empty")
        }
    }

    @Test("keeps 20,000 rows in place while it grows")
    func keepsRowsInPlace() throws {
        let run = Run(groupCount: 7, keyCount: 20_000, hash: Hashing.good.hash)
        for number in 0..<20_000 { try run.insert(number) }
        try run.compare("full")
        let rowByteCount = run.table.byteCount
        for number in 0..<20_000 where number % 3 != 0 { run.remove(number) }
        try run.compare("a third")
        for number in 0..<20_000 where number % 3 != 0 { try run.insert(number) }
        try run.compare("full again")
        #expect(run.table.byteCount == rowByteCount, "rows were used again")
    }

    @Test("tells keys of one hash apart by length and by every byte")
    func tellsKeysOfOneHashApart() throws {
        let table = KeyTable(rowByteCount: 40, groups: KeyGroups(count: 1))
        defer { table.destroy() }
        let batch = RecordBatch(recordCapacity: 400, arenaCapacity: 16)
        for length in 0...30 {
            let zeroes = [UInt8](repeating: 0, count: length)
            _ = batch.append(key: zeroes, value: [])
            for at in 0..<length where at < 14 || at == length - 1 {
                var key = zeroes
                key[at] = 1
                if at == length - 1 || length <= 14 { _ = batch.append(key: key, value: []) }
            }
        }
        var copies: [[UInt8]] = []
        var rows: [KeyTable.Row] = []
        let memory = UnsafeMutableRawPointer.allocate(byteCount: 64 * batch.count, alignment: 16)
        defer { memory.deallocate() }
        for index in 0..<batch.count {
            let key = try #require(batch.key(index))
            #expect(table.find(5, batch.keys + index, batch.buffers) == nil, "\(key)")
            copies.append(key)
            let long = memory + 64 * index
            long.copyMemory(from: key, byteCount: key.count)
            let isLong = key.count > 12
            let row = table.insert(5, batch.keys + index, longKey: isLong ? long : nil)
            rows.append(try #require(row))
        }
        #expect(Set(copies).count == batch.count)
        for index in 0..<batch.count {
            #expect(table.find(5, batch.keys + index, batch.buffers) == rows[index])
        }
    }
}
