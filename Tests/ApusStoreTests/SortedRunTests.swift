import ApusCore
import ApusStore
import ApusTestPlugins
import ApusTestSupport
import Testing

@Suite("SortedRun")
struct SortedRunTests {
    @Test("writes no file when there is nothing to write")
    func writesNoFileForNothing() throws {
        let folder = try StoreFolder()
        let result = try folder.write([EntryBuffer(), EntryBuffer()])
        #expect(result == SortedRunResult(paths: [], entryCount: 0, byteCount: 0))
        let buffer = EntryBuffer()
        buffer.deleteRange("b", "b")
        buffer.deleteRange("c", "a")
        #expect(try folder.write([buffer]).paths.isEmpty)
    }

    @Test("the last of equal keys counts, within a buffer and across buffers")
    func theLastCounts() throws {
        let folder = try StoreFolder()
        let database = try folder.open()
        let first = EntryBuffer()
        let second = EntryBuffer()
        first.put("a", "1")
        first.put("b", "1")
        first.put("a", "2")
        first.put("c", "1")
        second.put("b", "3")
        second.delete("c")
        second.put("d", "1")
        second.delete("d")
        second.put("d", "2")
        let result = try folder.write([first, second])
        #expect(result.entryCount == 4)
        try database.ingest(result.paths)
        #expect(try database.text("a") == "2")
        #expect(try database.text("b") == "3")
        #expect(try database.text("c") == nil)
        #expect(try database.text("d") == "2")
    }

    @Test("a deleted range covers what is older and spares what is newer")
    func aRangeCoversWhatIsOlder() throws {
        let folder = try StoreFolder()
        let database = try folder.open()
        try folder.add(database) { buffer in
            for key in ["a", "b", "c", "d", "e", "f"] { buffer.put(key, "old") }
        }
        try folder.add(database) { buffer in
            buffer.put("b", "covered")
            buffer.put("c", "covered")
            buffer.put("bb", "covered")
            buffer.deleteRange("b", "e")
            buffer.put("c", "new")
            buffer.put("cc", "new")
            buffer.delete("f")
        }
        #expect(try database.keys() == ["a", "c", "cc", "e"])
        #expect(try database.text("c") == "new")
        #expect(try database.text("b") == nil)
        try database.compact()
        #expect(try database.keys() == ["a", "c", "cc", "e"])
    }

    @Test("ranges of different ages lie over each other")
    func rangesLieOverEachOther() throws {
        let folder = try StoreFolder()
        let database = try folder.open()
        try folder.add(database) { buffer in
            buffer.deleteRange("a", "z")
            buffer.put("c", "1")
            buffer.put("m", "1")
            buffer.deleteRange("b", "d")
            buffer.put("b", "2")
            buffer.put("x", "2")
            buffer.deleteRange("w", "y")
            buffer.put("y", "2")
        }
        #expect(try database.keys() == ["b", "m", "y"])
    }

    @Test("a file may hold nothing but a deleted range")
    func aFileOfOneRange() throws {
        let folder = try StoreFolder()
        let database = try folder.open()
        try folder.add(database) { buffer in
            for key in ["a", "b", "c"] { buffer.put(key, "1") }
        }
        try folder.add(database) { $0.deleteRange("b", "c") }
        #expect(try database.keys() == ["a", "c"])
    }

    @Test("a long run is cut into files that do not overlap, ranges included")
    func aLongRunIsCut() throws {
        let folder = try StoreFolder()
        let database = try folder.open()
        try folder.add(database) { buffer in
            for index in 0..<5_000 { buffer.put(Self.number(2 * index), [1]) }
        }
        let buffer = EntryBuffer()
        buffer.deleteRange(Self.number(1_000), Self.number(9_000))
        for index in 0..<2_500 { buffer.put(Self.number(4 * index + 1), [2]) }
        let result = try folder.write([buffer], fileByteCountMax: 1_000)
        #expect(result.paths.count > 10)
        #expect(Set(result.paths).count == result.paths.count)
        try database.ingest(result.paths)
        let expected = (0..<10_000).filter { number in
            number % 4 == 1 || (number.isMultiple(of: 2) && !(1_000..<9_000).contains(number))
        }
        #expect(try database.entries().map(\.key) == expected.map(Self.number))
        try database.compact()
        #expect(try database.entries().map(\.key) == expected.map(Self.number))
    }

    @Test("sorts many keys that share much of their beginnings", arguments: [1, 2] as [UInt64])
    func sortsManyKeys(seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        let folder = try StoreFolder()
        let database = try folder.open()
        let buffers = [EntryBuffer(), EntryBuffer()]
        var model: [[UInt8]: [UInt8]] = [:]
        for index in 0..<40_000 {
            let key = Self.key(&generator)
            let value = Array("\(index)".utf8)
            buffers[index / 20_000].put(key, value)
            model[key] = value
        }
        let result = try folder.write(buffers)
        #expect(result.entryCount == model.count)
        try database.ingest(result.paths)
        let sorted = model.sorted { isBefore($0.key, $1.key) }
        try checkEqual(
            database.entries(),
            sorted.map { StoredEntry(key: $0.key, value: $0.value) },
            "seed \(seed)"
        )
    }

    @Test("an error names the file, and leaves none behind")
    func anErrorNamesTheFile() throws {
        let folder = try StoreFolder()
        let buffer = EntryBuffer()
        buffer.put("a", "1")
        let directory = folder.folder.file("missing")
        let error = #expect(throws: StoreError.self) {
            try SortedRun.write([buffer], directory: directory, name: "run")
        }
        #expect(error?.path == directory + "/run-0.sst")
        #expect(error?.operation == "create")
        #expect(error?.reason.contains("No such file or directory") == true)
        #expect(error?.isOutOfSpace == false)
    }

    /// A key of the kinds that sorting tells apart in different ways.
    private static func key(_ generator: inout SplitMix64) -> [UInt8] {
        let group = UInt8(generator.number(in: 0...40))
        let start: [UInt8] = [0, group, 0, 7, 0]
        switch generator.number(in: 0...4) {
        case 0: return start + number(generator.number(in: 0...100_000))
        case 1: return start + [UInt8](repeating: 0, count: generator.number(in: 0...14))
        case 2: return start + Array("a long common part of the key".utf8) + generator.bytes(1)
        case 3: return Array(start[..<generator.number(in: 0...5)])
        default: return start + generator.bytes(generator.number(in: 0...30))
        }
    }

    private static func number(_ number: Int) -> [UInt8] {
        withUnsafeBytes(of: UInt64(number).bigEndian) { Array($0) }
    }
}
