import ApusCore

/// What the probe's operators compute, written down once more: simply, over whole arrays.
enum Model {
    /// The number behind the last ':' of a value.
    static func number(_ value: String) -> Int? {
        value.split(separator: ":", omittingEmptySubsequences: false).last.flatMap { Int($0) }
    }

    /// The key in front of the first ':' of a value.
    static func prefix(_ value: String) -> String? {
        value.firstIndex(of: ":").map { String(value[..<$0]) }
    }

    /// Records with the keys that their values begin with; the others are left out.
    static func keyed(_ records: [TestRecord]) -> [TestRecord] {
        records.compactMap { record in
            prefix(record.value).map { TestRecord(key: $0, value: record.value, time: record.time) }
        }
    }

    /// `sum`: records with keys, in the order in which each key's records come.
    static func sum(_ records: [TestRecord]) -> [TestRecord] {
        var totals: [String: Int] = [:]
        return records.compactMap { record in
            guard let key = record.key, let number = number(record.value) else { return nil }
            totals[key, default: 0] += number
            return TestRecord(key: key, value: "\(key):\(totals[key] ?? 0)", time: record.time)
        }
    }

    /// `window`: one record for each key and window of 10 us.
    static func window(_ records: [TestRecord]) -> [TestRecord] {
        var counts: [String: [Int64: Int]] = [:]
        for record in records {
            guard let key = record.key else { continue }
            counts[key, default: [:]][record.time - record.time % 10, default: 0] += 1
        }
        return counts.flatMap { key, windows in
            windows.map { TestRecord(key: key, value: "\($0):\($1)", time: $0 + 9) }
        }
    }

    /// The records of each key, in order.
    static func byKey(_ records: [TestRecord]) -> [String?: [TestRecord]] {
        Dictionary(grouping: records, by: \.key)
    }
}

/// Input for the probe's operators.
enum Sample {
    /// Records `key:number` with the time of their index times `step`, keys of 1 to 40 bytes.
    static func numbers(
        _ count: Int,
        keyCount: Int,
        seed: UInt64,
        step: Int64 = 1
    ) -> [TestRecord] {
        var random = SplitMix64(seed: seed)
        return (0..<count).map { index in
            let key = Int.random(in: 0..<keyCount, using: &random)
            let name = "k\(key)" + String(repeating: "x", count: key % 5 == 0 ? key % 37 : 0)
            let number = Int.random(in: -50...1000, using: &random)
            return TestRecord(value: "\(name):\(number)", time: Int64(index) * step)
        }
    }

    /// The same records with event times shuffled by at most `distance`.
    static func disordered(
        _ records: [TestRecord],
        distance: Int64,
        seed: UInt64
    ) -> [TestRecord] {
        var random = SplitMix64(seed: seed)
        return records.map { record in
            var record = record
            record.time = max(0, record.time - Int64.random(in: 0...distance, using: &random))
            return record
        }
    }
}
