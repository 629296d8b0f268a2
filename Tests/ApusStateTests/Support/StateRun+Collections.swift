import ApusTestSupport
import CApusPlugin

@testable import ApusState

// Random operations on lists and maps.
extension StateRun {
    typealias Entry = (key: [UInt8], value: [UInt8])

    // MARK: - Lists

    func modelList(_ slot: UInt32, _ key: [UInt8]) -> [[UInt8]] {
        if case .list(let list) = model[key, Int(slot)] { list } else { [] }
    }

    func appendToList() throws {
        let slot = randomSlot { $0 == .list }
        let record = randomRecord()
        for _ in 0..<generator.number(in: 1...6) {
            let bytes = randomBytes()
            let code = functions.list_append(context, slot, record, bytes, UInt64(bytes.count))
            guard let key = harness.keys[Int(record)] else {
                return try requireCode(code, APUS_UNSUPPORTED, "list_append")
            }
            try requireCode(code, APUS_OK, "list_append")
            model[key, Int(slot)] = .list(modelList(slot, key) + [bytes])
        }
    }

    func walkList() throws {
        try compare(randomSlot { $0 == .list }, randomRecord())
    }

    /// Appends a value of the list to the list, from the pointer that the host gave out.
    func appendOwnElement() throws {
        let slot = randomSlot { $0 == .list }
        let record = randomRecord()
        guard let key = harness.keys[Int(record)], model[key, Int(slot)] != nil else { return }
        for _ in 0..<3 {
            let list = modelList(slot, key)
            var cursor = apus_cursor_all()
            var values = [apus_bytes](repeating: apus_bytes(), count: list.count)
            var count: UInt32 = 0
            let code = functions.list_next(
                context,
                slot,
                record,
                &cursor,
                &values,
                UInt32(values.count),
                &count
            )
            try requireCode(code, APUS_OK, "list_next")
            let chosen = generator.isOnce(in: 2) ? 0 : generator.number(in: 0...list.count - 1)
            let bytes = values[chosen]
            try requireCode(
                functions.list_append(context, slot, record, bytes.data, bytes.len),
                APUS_OK,
                "list_append of its own value"
            )
            model[key, Int(slot)] = .list(list + [list[chosen]])
        }
        try compare(slot, record)
    }

    func compareList(_ slot: UInt32, _ record: UInt32, _ expected: StateModel.Content?) throws {
        var total: UInt64 = 99
        let code = functions.list_count(context, slot, record, &total)
        try requireCode(code, expected == nil ? APUS_NOT_FOUND : APUS_OK, "list_count")
        var list: [[UInt8]] = []
        if case .list(let values) = expected { list = values }
        try require(total == UInt64(list.count), "list_count gave \(total)")
        var cursor = apus_cursor_all()
        var found: [[UInt8]] = []
        while true {
            let capacity = generator.number(in: 1...5)
            var values = [apus_bytes](repeating: apus_bytes(), count: capacity)
            var count: UInt32 = 99
            let code = functions.list_next(
                context,
                slot,
                record,
                &cursor,
                &values,
                UInt32(capacity),
                &count
            )
            try requireCode(code, expected == nil ? APUS_NOT_FOUND : APUS_OK, "list_next")
            found += values.prefix(Int(count)).map { [UInt8]($0) }
            if count == 0 { break }
        }
        try require(found == list, "list_next gave \(found.count) values, or others")
    }

    // MARK: - Maps

    func modelMap(_ slot: UInt32, _ key: [UInt8]) -> [[UInt8]: [UInt8]] {
        if case .map(let map) = model[key, Int(slot)] { map } else { [:] }
    }

    func sorted(_ map: [[UInt8]: [UInt8]]) -> [Entry] {
        map.map { (key: $0.key, value: $0.value) }.sorted { [UInt8].isBefore($0.key, $1.key) }
    }

    /// Few enough keys that they meet again, with common prefixes.
    func randomMapKey() -> [UInt8] {
        let prefix = Array(repeating: UInt8(0xfe), count: generator.number(in: 0...3))
        return generator.isOnce(in: 10)
            ? prefix : prefix + [UInt8(generator.number(in: 0...255)), 0xff]
    }

    func putIntoMap() throws {
        let slot = randomSlot { $0 == .map }
        let record = randomRecord()
        for _ in 0..<generator.number(in: 1...40) {
            let mapKey = randomMapKey()
            let bytes = generator.bytes(generator.sliceLength(upTo: 40))
            let code = functions.map_put(
                context,
                slot,
                record,
                mapKey,
                UInt64(mapKey.count),
                bytes,
                UInt64(bytes.count)
            )
            guard let key = harness.keys[Int(record)] else {
                return try requireCode(code, APUS_UNSUPPORTED, "map_put")
            }
            try requireCode(code, APUS_OK, "map_put")
            var map = modelMap(slot, key)
            map[mapKey] = bytes
            model[key, Int(slot)] = .map(map)
        }
    }

    func getAndRemoveFromMap() throws {
        let slot = randomSlot { $0 == .map }
        let record = randomRecord()
        for _ in 0..<generator.number(in: 1...30) {
            var mapKey = randomMapKey()
            let key = harness.keys[Int(record)]
            var map = key.map { modelMap(slot, $0) } ?? [:]
            if let known = map.keys.randomElement(using: &generator), generator.isOnce(in: 2) {
                mapKey = known
            }
            var found = apus_bytes()
            let length = UInt64(mapKey.count)
            let getCode = functions.map_get(context, slot, record, mapKey, length, &found)
            if getCode == APUS_OK { try require(map[mapKey] == Array(found), "map_get") }
            let removeCode = functions.map_remove(context, slot, record, mapKey, length)
            var expected = APUS_UNSUPPORTED
            if let key {
                expected = map.removeValue(forKey: mapKey) == nil ? APUS_NOT_FOUND : APUS_OK
                model[key, Int(slot)] = map.isEmpty ? nil : .map(map)
            }
            try requireCode(getCode, expected, "map_get")
            try requireCode(removeCode, expected, "map_remove")
        }
    }

    func compareMap(_ slot: UInt32, _ record: UInt32, _ expected: StateModel.Content?) throws {
        var total: UInt64 = 99
        let code = functions.map_count(context, slot, record, &total)
        try requireCode(code, expected == nil ? APUS_NOT_FOUND : APUS_OK, "map_count")
        var map: [[UInt8]: [UInt8]] = [:]
        if case .map(let entries) = expected { map = entries }
        try require(total == UInt64(map.count), "map_count gave \(total)")
        try compareWalk(apus_cursor_all(), slot, record, sorted(map), "all")
    }

    /// Walks by prefix or range, and compares with the model's entries.
    func walkMap() throws {
        let slot = randomSlot { $0 == .map }
        let record = randomRecord()
        guard let key = harness.keys[Int(record)] else { return }
        let all = sorted(modelMap(slot, key))
        let from = randomMapKey()
        let to = randomMapKey()
        try from.withUnsafeBytes { fromBytes in
            try to.withUnsafeBytes { toBytes in
                let cFrom = Self.bytes(fromBytes)
                let cTo = Self.bytes(toBytes)
                try compareWalk(
                    apus_cursor_prefix(cFrom),
                    slot,
                    record,
                    all.filter { $0.key.starts(with: from) },
                    "prefix \(from)"
                )
                let open = all.filter { ![UInt8].isBefore($0.key, from) }
                try compareWalk(
                    apus_cursor_range(cFrom, apus_bytes()),
                    slot,
                    record,
                    open,
                    "from \(from)"
                )
                let range = open.filter { to.isEmpty || [UInt8].isBefore($0.key, to) }
                try compareWalk(
                    apus_cursor_range(cFrom, to.isEmpty ? apus_bytes() : cTo),
                    slot,
                    record,
                    range,
                    "\(from) ..< \(to)"
                )
            }
        }
    }

    static func bytes(_ buffer: UnsafeRawBufferPointer) -> apus_bytes {
        apus_bytes(
            data: buffer.baseAddress?.assumingMemoryBound(to: UInt8.self),
            len: UInt64(buffer.count)
        )
    }

    private func compareWalk(
        _ start: apus_cursor,
        _ slot: UInt32,
        _ record: UInt32,
        _ expected: [Entry],
        _ what: String
    ) throws {
        var cursor = start
        var found: [Entry] = []
        while true {
            let capacity = generator.number(in: 1...20)
            var entries = [apus_entry](repeating: apus_entry(), count: capacity)
            var count: UInt32 = 99
            let code = functions.map_next(
                context,
                slot,
                record,
                &cursor,
                &entries,
                UInt32(capacity),
                &count
            )
            try require(
                code == APUS_OK || (code == APUS_NOT_FOUND && expected.isEmpty),
                "map_next over \(what) returned \(code)"
            )
            found += entries.prefix(Int(count)).map { (Array($0.key), Array($0.value)) }
            if count == 0 { break }
        }
        let isEqual = found.count == expected.count && zip(found, expected).allSatisfy(==)
        try require(isEqual, "walking over \(what)")
    }

    // MARK: - Walking while writing

    /// A cursor notices every write to its own list or map, and none to others.
    func writeWhileWalking() throws {
        let isList = generator.isOnce(in: 2)
        let slot = randomSlot { $0 == (isList ? .list : .map) }
        let record = randomRecord()
        guard let key = harness.keys[Int(record)], model[key, Int(slot)] != nil else { return }
        var cursor = apus_cursor_all()
        try requireCode(try step(&cursor, slot, record), APUS_OK, "the first step")
        let other = randomRecord()
        if let otherKey = harness.keys[Int(other)], otherKey != key {
            try rewrite(slot, other, otherKey)
            try requireCode(
                try step(&cursor, slot, record),
                APUS_OK,
                "a step after another's write"
            )
        }
        let isRewritten = generator.isOnce(in: 2)
        try requireCode(functions.clear(context, slot, record), APUS_OK, "clear")
        model[key, Int(slot)] = nil
        if isRewritten { try rewrite(slot, record, key) }
        try requireCode(try step(&cursor, slot, record), APUS_STALE, "a step after a clear")
        var fresh = apus_cursor_all()
        guard isRewritten else { return }
        try requireCode(try step(&fresh, slot, record), APUS_OK, "the first step anew")
        try rewrite(slot, record, key)
        try requireCode(try step(&fresh, slot, record), APUS_STALE, "a step after a write")
        try compare(slot, record)
    }

    private func step(_ cursor: inout apus_cursor, _ slot: UInt32, _ record: UInt32) throws -> Int32
    {
        var count: UInt32 = 0
        if slots[Int(slot)].kind == .list {
            var value = apus_bytes()
            return functions.list_next(context, slot, record, &cursor, &value, 1, &count)
        }
        var entry = apus_entry()
        return functions.map_next(context, slot, record, &cursor, &entry, 1, &count)
    }

    /// Writes one value or entry.
    private func rewrite(_ slot: UInt32, _ record: UInt32, _ key: [UInt8]) throws {
        let bytes = generator.bytes(generator.number(in: 0...60))
        if slots[Int(slot)].kind == .list {
            let code = functions.list_append(context, slot, record, bytes, UInt64(bytes.count))
            try requireCode(code, APUS_OK, "list_append")
            model[key, Int(slot)] = .list(modelList(slot, key) + [bytes])
        } else {
            let mapKey = randomMapKey()
            let code = functions.map_put(
                context,
                slot,
                record,
                mapKey,
                UInt64(mapKey.count),
                bytes,
                UInt64(bytes.count)
            )
            try requireCode(code, APUS_OK, "map_put")
            var map = modelMap(slot, key)
            map[mapKey] = bytes
            model[key, Int(slot)] = .map(map)
        }
    }
}
