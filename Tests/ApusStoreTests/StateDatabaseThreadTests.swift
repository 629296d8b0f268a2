import ApusStore
import ApusTestSupport
import Synchronization
import Testing

@Suite("StateDatabase: threads")
struct StateDatabaseThreadTests {
    @Test("lookups see all of an ingestion or nothing of it", arguments: [true, false])
    func lookupsSeeAllOrNothing(mapsFiles: Bool) throws {
        let folder = try StoreFolder()
        let database = try folder.open(.init(mapsFiles: mapsFiles, fileByteCountMax: 16 << 10))
        let keys = (0..<300).map { Array("\($0 * 37)".utf8) }
        try ingest(folder, database, keys, 0)
        let isOver = Atomic(false)
        let lookups = Counter()
        let failures = Counter()
        let reader: @Sendable () -> Void = {
            var newest = 0
            while !isOver.load(ordering: .acquiring) {
                do {
                    let values = try database.values(keys)
                    let numbers = Set(values.map(Self.number))
                    // One value for all keys, and never an older one than before.
                    if numbers.count != 1 || (numbers.first ?? -1) < newest { failures.add() }
                    newest = numbers.first ?? newest
                    let scanned = try database.entries(limit: 10)
                    if Set(scanned.map(\.value)).count != 1 { failures.add() }
                } catch {
                    failures.add()
                }
                lookups.add()
            }
        }
        let threads = [TestThread(reader), TestThread(reader)]
        for round in 1...150 { try ingest(folder, database, keys, round) }
        while lookups.value < 20 { TestThread.yield() }
        isOver.store(true, ordering: .releasing)
        for thread in threads { thread.join() }
        #expect(failures.value == 0)
        #expect(try Set(database.values(keys)) == [Array("150".utf8)])
    }

    private static func number(_ value: [UInt8]?) -> Int {
        value.flatMap { Int(String(decoding: $0, as: UTF8.self)) } ?? -1
    }

    private func ingest(
        _ folder: StoreFolder,
        _ database: StateDatabase,
        _ keys: [[UInt8]],
        _ round: Int
    ) throws {
        let buffer = EntryBuffer()
        for key in keys { buffer.put(key, Array("\(round)".utf8)) }
        try database.ingest(folder.write([buffer], fileByteCountMax: 1 << 10).paths)
    }
}
