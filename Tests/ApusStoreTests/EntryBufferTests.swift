import ApusStore
import Testing

@Suite("EntryBuffer")
struct EntryBufferTests {
    @Test("counts entries and the memory that they take")
    func countsEntries() {
        let buffer = EntryBuffer()
        #expect(buffer.entryCount == 0)
        #expect(buffer.byteCount == 0)
        buffer.put("key", "value")
        buffer.delete("key")
        buffer.deleteRange("a", "bcd")
        #expect(buffer.entryCount == 3)
        #expect(buffer.byteCount == 3 * 8 + 3 + 5 + 3 + 1 + 3)
    }

    @Test("holds entries of all sizes, larger ones than its chunks included")
    func holdsEntriesOfAllSizes() throws {
        let folder = try StoreFolder()
        let buffer = EntryBuffer()
        let sizes = [0, 1, 100, 1 << 20, 10, (1 << 20) - 30, 5 << 20, 3, 700_000, 700_000]
        for (index, size) in sizes.enumerated() {
            buffer.put([UInt8(index)], [UInt8](repeating: UInt8(index), count: size))
        }
        #expect(buffer.byteCount == sizes.reduce(0) { $0 + $1 + 9 })
        let database = try folder.open()
        try database.ingest(folder.write([buffer]).paths)
        for (index, size) in sizes.enumerated() {
            let expected = [UInt8](repeating: UInt8(index), count: size)
            #expect(try database.value([UInt8(index)]) == expected)
        }
    }

    @Test("is empty after a reset, and can be filled again", arguments: [0, 2 << 20, 1 << 30])
    func isEmptyAfterReset(keepingByteCount: Int) throws {
        let folder = try StoreFolder()
        let buffer = EntryBuffer()
        for round in 0..<3 {
            for index in 0..<5_000 {
                buffer.put("\(round)-\(index)", String(repeating: "x", count: 1_000))
            }
            buffer.deleteRange("a", "b")
            buffer.reset(keepingByteCount: keepingByteCount)
            #expect(buffer.entryCount == 0)
            #expect(buffer.byteCount == 0)
            #expect(try folder.write([buffer]).paths.isEmpty)
        }
        buffer.put("a", "1")
        let database = try folder.open()
        try database.ingest(folder.write([buffer]).paths)
        #expect(try database.keys() == ["a"])
    }
}
