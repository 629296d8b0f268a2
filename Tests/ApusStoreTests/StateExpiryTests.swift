import ApusStore
import Testing

@Suite("StateExpiry")
struct StateExpiryTests {
    @Test("a compaction drops rows past their time, and nothing else")
    func dropsRowsPastTheirTime() throws {
        let folder = try StoreFolder()
        let expiry = StateExpiry()
        let database = try folder.open(.init(expiry: expiry))
        let rows: [(key: [UInt8], value: [UInt8])] = [
            (key(1), header(expires: 99)),
            (key(2), header(expires: 100)),
            (key(3), header(expires: 0)),
            (key(4), header(expires: 99, format: 2)),
            (key(5), header(expires: 99, flags: 1)),
            (key(6, operator: 8), header(expires: 99, flags: 1)),
            (key(7, kind: 1), header(expires: 99)),
            (key(8), Array(header(expires: 99).dropLast())),
            (key(9), header(expires: 99) + [1, 2, 3]),
            ([0, 0, 0, 7], header(expires: 99)),
            (key(10), []),
        ]
        try folder.add(database) { buffer in
            for row in rows { buffer.put(row.key, row.value) }
        }
        try database.compact()
        #expect(try database.entries().count == rows.count)
        #expect(expiry.droppedEntryCount == 0)

        expiry.setProcessingTime(seconds: 100)
        try database.compact()
        #expect(try found(database, rows) == [1, 2, 3, 4, 5, 6, 7, 9, 10])
        #expect(expiry.droppedEntryCount == 2)
        #expect(expiry.droppedByteCount == 2 * 6 + 12 + 15)

        expiry.setEventTime(ofOperator: 8, seconds: 100)
        try database.compact()
        #expect(try found(database, rows) == [1, 2, 3, 4, 6, 7, 9, 10])
        #expect(expiry.droppedEntryCount == 3)
    }

    @Test("dropping a row does not bring an older one back")
    func anOlderRowStaysGone() throws {
        let folder = try StoreFolder()
        let expiry = StateExpiry()
        let database = try folder.open(.init(expiry: expiry))
        try folder.add(database) { buffer in
            buffer.put(key(1), header(expires: 0))
            buffer.put(key(2), header(expires: 0))
        }
        try database.compact()
        expiry.setProcessingTime(seconds: 100)
        // Enough runs for a compaction of runs alone, without what lies at the bottom.
        for round in 0..<9 {
            try folder.add(database) { buffer in
                buffer.put(key(1), header(expires: 50))
                buffer.put(key(3), header(expires: 0) + [UInt8(round)])
            }
        }
        database.settle()
        let row = try database.value(key(1))
        #expect(row == nil || row == header(expires: 50))
        try database.compact()
        #expect(try database.value(key(1)) == nil)
        #expect(try database.value(key(2)) == header(expires: 0))
        #expect(try database.value(key(3)) == header(expires: 0) + [8])
    }

    private func key(_ number: UInt8, operator: UInt8 = 7, kind: UInt8 = 0) -> [UInt8] {
        [0, 1, 0, `operator`, kind, number]
    }

    private func header(expires: UInt8, format: UInt8 = 1, flags: UInt8 = 0) -> [UInt8] {
        [format, flags, 0, 0, 0, 0, 0, 1, 0, 0, 0, expires]
    }

    private func found(
        _ database: StateDatabase,
        _ rows: [(key: [UInt8], value: [UInt8])]
    ) throws -> [Int] {
        let values = try database.values(rows.map(\.key))
        for (row, value) in zip(rows, values) where value != nil { #expect(value == row.value) }
        return values.indices.filter { values[$0] != nil }
    }
}
