import ApusCore
import ApusStore
import ApusTestSupport
import Testing

/// Random changes, against a dictionary.
@Suite("StateDatabase: model")
struct StateDatabaseModelTests {
    @Test(
        "holds what the model holds",
        arguments: [1, 2, 3, 4] as [UInt64],
        [true, false]
    )
    func holdsWhatTheModelHolds(seed: UInt64, mapsFiles: Bool) throws {
        var run = try ModelRun(seed: seed, mapsFiles: mapsFiles)
        for step in 0..<120 { try run.step(step) }
    }
}

/// One run of the comparison.
private struct ModelRun {
    private let seed: UInt64
    private let folder: StoreFolder
    private let options: StateDatabase.Options
    private var generator: SplitMix64
    private var database: StateDatabase
    private var model: [[UInt8]: [UInt8]] = [:]
    private var buffer = EntryBuffer()

    init(seed: UInt64, mapsFiles: Bool) throws {
        self.seed = seed
        generator = SplitMix64(seed: seed)
        folder = try StoreFolder()
        options = .init(mapsFiles: mapsFiles, fileByteCountMax: 8 << 10)
        database = try folder.open(options)
    }

    mutating func step(_ number: Int) throws {
        var buffers: [EntryBuffer] = []
        for _ in 0..<generator.number(in: 1...3) {
            buffer = EntryBuffer()
            for _ in 0..<generator.number(in: 0...150) { change() }
            buffers.append(buffer)
        }
        let paths = try folder.write(buffers, fileByteCountMax: 2 << 10).paths
        try database.ingest(paths)
        if generator.isOnce(in: 10) { try database.compact() }
        if generator.isOnce(in: 10) {
            database.close()
            database = try folder.open(options)
        }
        try compare("seed \(seed), step \(number)", isFull: generator.isOnce(in: 4))
    }

    private mutating func change() {
        let key = key()
        switch generator.number(in: 0...20) {
        case 0:
            // Often short ranges, sometimes most of the keys.
            var to = self.key()
            if generator.isOnce(in: 2) { to = key + [0xff] }
            buffer.deleteRange(key, to)
            for other in model.keys where !isBefore(other, key) && isBefore(other, to) {
                model[other] = nil
            }
        case 1...5:
            buffer.delete(key)
            model[key] = nil
        default:
            let value = generator.bytes(generator.number(in: 0...60))
            buffer.put(key, value)
            model[key] = value
        }
    }

    private mutating func key() -> [UInt8] {
        let start: [UInt8] = [0, UInt8(generator.number(in: 0...3)), 0, 1, 0]
        return start + generator.bytes(0)
            + Array("\(generator.number(in: 0...400))".utf8)
    }

    private mutating func compare(_ context: String, isFull: Bool) throws {
        var keys = (0..<50).map { _ in key() }
        keys.append([])
        try checkEqual(database.values(keys), keys.map { model[$0] }, context)
        let one = keys[0]
        let found = try database.value(one)
        try check(found == model[one], "\(context): \(one)")
        guard isFull else { return }
        let expected = model.sorted { isBefore($0.key, $1.key) }
            .map { StoredEntry(key: $0.key, value: $0.value) }
        try checkEqual(database.entries(), expected, context)
    }
}
