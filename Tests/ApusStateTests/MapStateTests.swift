import ApusCore
import ApusMemory
import ApusTestSupport
import CApusPlugin
import Testing

@testable import ApusState

/// Large maps: leaves that split, merge and run empty, in every order of keys.
@Suite("MapState")
struct MapStateTests {
    /// A map and its model.
    struct Run: ~Copyable {
        var pool = BlockPool()
        let map: MapState
        var model: [[UInt8]: [UInt8]] = [:]

        init() {
            map = MapState(in: &pool, version: 0)
        }

        mutating func put(_ key: [UInt8], _ value: [UInt8]) {
            key.withUnsafeBytes { key in
                value.withUnsafeBytes { value in map.put(key, value, in: &pool) }
            }
            model[key] = value
        }

        mutating func remove(_ key: [UInt8]) throws {
            let wasThere = key.withUnsafeBytes { map.remove($0, in: &pool) }
            try check(wasThere == (model.removeValue(forKey: key) != nil), "remove \(key)")
        }

        func get(_ key: [UInt8]) -> [UInt8]? {
            key.withUnsafeBytes { map.get($0) }.map { Array($0) }
        }

        /// Walks over everything and compares with the model.
        func compare(_ context: String, using generator: inout SplitMix64) throws {
            try check(map.count == UInt64(model.count), "\(context): count is \(map.count)")
            let expected = model.keys.sorted(by: [UInt8].isBefore)
            var cursor = apus_cursor_all()
            var entries = [apus_entry](repeating: apus_entry(), count: 100)
            var at = 0
            while true {
                let capacity = generator.number(in: 1...100)
                guard let count = map.next(&cursor, &entries, capacity) else {
                    return try check(false, "\(context): stale without a write")
                }
                if count == 0 { break }
                try check(at + count <= expected.count, "\(context): too many entries")
                for entry in entries[0..<count] {
                    let key = expected[at]
                    try check(Array(entry.key) == key, "\(context): key \(at) in order")
                    try check(Array(entry.value) == model[key], "\(context): value \(at)")
                    at += 1
                }
            }
            try check(at == expected.count, "\(context): \(at) entries, not \(expected.count)")
        }

        /// Removes the rest, and looks at what memory is left.
        mutating func finish() throws {
            for key in model.keys.sorted(by: [UInt8].isBefore) { try remove(key) }
            try check(map.count == 0, "empty")
            // The directory stays as large as it ever was: 8 bytes for about 31 entries.
            try check(pool.usedByteCount < 40_000, "\(pool.usedByteCount) bytes of an empty map")
            map.destroy(in: &pool)
            try check(pool.usedByteCount == 0, "\(pool.usedByteCount) bytes of none")
        }
    }

    static func bigEndian(_ number: Int) -> [UInt8] {
        withUnsafeBytes(of: UInt32(number).bigEndian) { Array($0) }
    }

    @Test("holds 100,000 entries in order, through random insertions and removals")
    func holdsManyEntries() throws {
        var generator = SplitMix64(seed: 1)
        var run = Run()
        var keys: [[UInt8]] = []
        while run.model.count < 100_000 {
            // Some are there already, some begin others.
            let key = generator.bytes(generator.number(in: 1...6))
            run.put(key, generator.bytes(generator.number(in: 0...9)))
            keys.append(key)
            if generator.isOnce(in: 6) {
                try run.remove(keys[generator.number(in: 0...keys.count - 1)])
            }
        }
        try run.compare("100,000 entries", using: &generator)
        for key in keys.prefix(5_000) { try check(run.get(key) == run.model[key], "get \(key)") }
        keys.shuffle(using: &generator)
        for key in keys.dropLast(2_000) { try run.remove(key) }
        try run.compare("2,000 entries", using: &generator)
        for key in keys.prefix(3_000) { run.put(key, [1]) }
        try run.compare("5,000 entries", using: &generator)
        try run.finish()
    }

    /// Orders in which keys come and go.
    enum Order: String, CaseIterable {
        case ascending
        case descending
        case fromTheMiddle
        case everyOther
        case shuffled

        func apply(_ count: Int) -> [Int] {
            let numbers = Array(0..<count)
            switch self {
            case .ascending: return numbers
            case .descending: return numbers.reversed()
            case .fromTheMiddle:
                return (0..<count / 2).flatMap { [count / 2 + $0, count / 2 - 1 - $0] }
            case .everyOther:
                return numbers.filter { $0 % 2 == 0 } + numbers.filter { $0 % 2 == 1 }
            case .shuffled:
                var generator = SplitMix64(seed: 6)
                return numbers.shuffled(using: &generator)
            }
        }
    }

    @Test(
        "splits and merges leaves in any order of insertion and removal",
        arguments: Order.allCases,
        Order.allCases
    )
    func splitsAndMergesLeaves(insertion: Order, removal: Order) throws {
        var generator = SplitMix64(seed: 2)
        var run = Run()
        for (step, number) in insertion.apply(600).enumerated() {
            run.put(Self.bigEndian(number), [UInt8(truncatingIfNeeded: number)])
            if step % 150 == 149 { try run.compare("\(step) in", using: &generator) }
        }
        for (step, number) in removal.apply(600).enumerated() {
            try run.remove(Self.bigEndian(number))
            if step % 60 == 59 { try run.compare("\(step) out", using: &generator) }
        }
        for number in 0..<70 { run.put(Self.bigEndian(number), []) }
        try run.compare("anew", using: &generator)
        try run.finish()
    }

    @Test(
        "agrees with a dictionary around the sizes at which leaves change",
        arguments: 1...6 as ClosedRange<UInt64>
    )
    func agreesAroundTheSizesOfLeaves(seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        var run = Run()
        for round in 0..<60 {
            let target = [0, 1, 7, 8, 15, 16, 31, 32, 63, 64, 65, 95, 127, 130][
                generator.number(in: 0...13)
            ]
            while run.model.count != target {
                let key = Self.bigEndian(generator.number(in: 0...300))
                if run.model.count < target {
                    run.put(key, generator.bytes(generator.number(in: 0...20)))
                } else {
                    try run.remove(key)
                }
            }
            try run.compare("seed \(seed), round \(round), \(target) entries", using: &generator)
        }
        try run.finish()
    }

    @Test("finds the ends of every prefix and range")
    func findsTheEndsOfEveryPrefixAndRange() throws {
        var run = Run()
        var keys: [[UInt8]] = [[]]
        for first in [0, 1, 0x7f, 0x80, 0xff] as [UInt8] {
            keys.append([first])
            for second in [0, 0x80, 0xff] as [UInt8] {
                keys.append([first, second])
                for third in 0..<8 as Range<UInt8> { keys.append([first, second, third * 36]) }
            }
        }
        for key in keys { run.put(key, key.reversed()) }
        keys.sort(by: [UInt8].isBefore)
        for from in keys {
            let prefixed = Self.walk(run.map, prefix: from)
            try checkEqual(prefixed, keys.filter { $0.starts(with: from) }, "prefix \(from)")
            for to in keys {
                let expected = keys.filter {
                    ![UInt8].isBefore($0, from) && [UInt8].isBefore($0, to)
                }
                // An empty end is an end too: nothing is before it.
                try checkEqual(Self.walk(run.map, from, to), expected, "\(from) ..< \(to)")
            }
        }
        try run.finish()
    }

    static func walk(_ map: MapState, prefix: [UInt8]) -> [[UInt8]] {
        (prefix + [0]).withUnsafeBytes { bytes in
            let start = UnsafeRawBufferPointer(rebasing: bytes.dropLast())
            return keys(map, apus_cursor_prefix(StateRun.bytes(start)))
        }
    }

    static func walk(_ map: MapState, _ from: [UInt8], _ to: [UInt8]) -> [[UInt8]] {
        (from + [0]).withUnsafeBytes { fromBytes in
            (to + [0]).withUnsafeBytes { toBytes in
                let first = UnsafeRawBufferPointer(rebasing: fromBytes.dropLast())
                let end = UnsafeRawBufferPointer(rebasing: toBytes.dropLast())
                return keys(map, apus_cursor_range(StateRun.bytes(first), StateRun.bytes(end)))
            }
        }
    }

    static func keys(_ map: MapState, _ start: apus_cursor) -> [[UInt8]] {
        var cursor = start
        var entries = [apus_entry](repeating: apus_entry(), count: 3)
        var found: [[UInt8]] = []
        while let count = map.next(&cursor, &entries, 3), count > 0 {
            found += entries[0..<count].map { Array($0.key) }
        }
        return found
    }
}
