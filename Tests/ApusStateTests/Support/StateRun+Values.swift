import ApusTestSupport
import CApusPlugin

@testable import ApusState

// Random operations on values and counters, and what belongs to slots of any kind.
extension StateRun {
    static func isValue(_ kind: SlotDescription.Kind) -> Bool {
        switch kind {
        case .fixedValue, .value: true
        case .counter, .list, .map: false
        }
    }

    static func isFixedValue(_ kind: SlotDescription.Kind) -> Bool {
        fixedByteCount(kind) != nil
    }

    static func fixedByteCount(_ kind: SlotDescription.Kind) -> Int? {
        if case .fixedValue(let byteCount) = kind { byteCount } else { nil }
    }

    /// The bytes that the model has for a value.
    func modelBytes(_ slot: UInt32, _ key: [UInt8]) -> [UInt8]? {
        if case .bytes(let bytes) = model[key, Int(slot)] { bytes } else { nil }
    }

    func randomBytes() -> [UInt8] {
        // Now and then larger than what the pool keeps in size classes.
        generator.bytes(
            generator.isOnce(in: 50)
                ? generator.number(in: 20_000...70_000) : generator.sliceLength(upTo: 300)
        )
    }

    // MARK: - Values

    func getValue() throws {
        try compare(UInt32(generator.number(in: 0...slots.count - 1)), randomRecord())
    }

    func putValue() throws {
        let slot = randomSlot(Self.isValue)
        let record = randomRecord()
        let byteCount = Self.fixedByteCount(slots[Int(slot)].kind)
        var bytes = byteCount.map { generator.bytes($0) } ?? randomBytes()
        let isWrong = byteCount != nil && generator.isOnce(in: 8)
        if isWrong { bytes.append(0) }
        let code = functions.value_put(context, slot, record, bytes, UInt64(bytes.count))
        guard let key = harness.keys[Int(record)], !isWrong else {
            return try requireCode(code, APUS_UNSUPPORTED, "value_put")
        }
        try requireCode(code, APUS_OK, "value_put")
        model[key, Int(slot)] = .bytes(bytes)
        try compare(slot, record)
    }

    /// Checks what is behind a pointer from `value_mut`, and writes through it.
    private func writeThrough(
        _ pointer: UnsafeMutableRawPointer,
        _ slot: UInt32,
        _ key: [UInt8],
        _ what: String
    ) throws {
        let byteCount = Self.fixedByteCount(slots[Int(slot)].kind) ?? 0
        let expected = modelBytes(slot, key) ?? Array(repeating: 0, count: byteCount)
        let found = Array(UnsafeRawBufferPointer(start: pointer, count: byteCount))
        try require(found == expected, "\(what) shows \(found), not \(expected)")
        try require(Int(bitPattern: pointer) % 8 == 0, "\(what) is not aligned")
        let bytes = generator.isOnce(in: 4) ? expected : generator.bytes(byteCount)
        pointer.copyMemory(from: bytes, byteCount: byteCount)
        model[key, Int(slot)] = .bytes(bytes)
    }

    func mutateValue() throws {
        let slot = randomSlot(Self.isFixedValue)
        let record = randomRecord()
        var pointer: UnsafeMutableRawPointer?
        let code = functions.value_mut(context, slot, record, &pointer)
        guard let key = harness.keys[Int(record)] else {
            return try requireCode(code, APUS_UNSUPPORTED, "value_mut")
        }
        try requireCode(code, APUS_OK, "value_mut")
        guard let pointer else { return try require(false, "value_mut gave no pointer") }
        try writeThrough(pointer, slot, key, "value_mut")
    }

    func mutateMany() throws {
        let slot = randomSlot(Self.isFixedValue)
        let first = generator.number(in: 0...harness.keys.count)
        let count = generator.number(in: 0...min(harness.keys.count - first, 80))
        var pointers = [UnsafeMutableRawPointer?](repeating: context, count: count)
        var created = [UInt8](repeating: 9, count: count)
        let code: Int32
        if generator.isOnce(in: 3) {
            code = functions.value_mut_many(
                context,
                slot,
                UInt32(first),
                UInt32(count),
                &pointers,
                nil
            )
        } else {
            code = functions.value_mut_many(
                context,
                slot,
                UInt32(first),
                UInt32(count),
                &pointers,
                &created
            )
        }
        try requireCode(code, APUS_OK, "value_mut_many")
        let isTold = created.allSatisfy { $0 != 9 }
        var seen: [[UInt8]: UnsafeMutableRawPointer] = [:]
        for index in 0..<count {
            guard let key = harness.keys[first + index] else {
                try require(pointers[index] == nil, "value_mut_many gave a pointer without key")
                try require(!isTold || created[index] == 0, "created without key")
                continue
            }
            guard let pointer = pointers[index] else {
                return try require(false, "value_mut_many gave no pointer")
            }
            let isNew = modelBytes(slot, key) == nil
            try require(!isTold || (created[index] == 1) == isNew, "created[\(index)]")
            try require(seen[key, default: pointer] == pointer, "two pointers for one key")
            seen[key] = pointer
            try writeThrough(pointer, slot, key, "value_mut_many")
        }
    }

    /// Stores a part of a value in its own slot, from the pointer that the host gave out.
    func putValueIntoItself() throws {
        let slot = randomSlot(Self.isValue)
        let record = randomRecord()
        guard let key = harness.keys[Int(record)], let bytes = modelBytes(slot, key) else { return }
        var found = apus_bytes()
        try requireCode(functions.value_get(context, slot, record, &found), APUS_OK, "value_get")
        let isFixed = Self.isFixedValue(slots[Int(slot)].kind)
        let start = isFixed ? 0 : generator.number(in: 0...bytes.count)
        let end = isFixed ? bytes.count : generator.number(in: start...bytes.count)
        let code = functions.value_put(
            context,
            slot,
            record,
            found.data + start,
            UInt64(end - start)
        )
        try requireCode(code, APUS_OK, "value_put of itself")
        model[key, Int(slot)] = .bytes(Array(bytes[start..<end]))
        try compare(slot, record)
    }

    /// A pointer into one key's state stays good while other keys are written.
    func holdAcrossOtherKeys() throws {
        let slot = randomSlot(Self.isValue)
        let record = randomRecord()
        guard let key = harness.keys[Int(record)], let bytes = modelBytes(slot, key) else { return }
        var held = apus_bytes()
        try requireCode(functions.value_get(context, slot, record, &held), APUS_OK, "value_get")
        for _ in 0..<8 {
            let other = randomRecord()
            guard let otherKey = harness.keys[Int(other)], otherKey != key else { continue }
            let textSlot = randomSlot { $0 == .value }
            let new = randomBytes()
            let code = functions.value_put(context, textSlot, other, new, UInt64(new.count))
            try requireCode(code, APUS_OK, "value_put")
            model[otherKey, Int(textSlot)] = .bytes(new)
        }
        try require(Array(held) == bytes, "a write to another key moved a value")
    }

    // MARK: - Counters

    func count() throws {
        let slot = randomSlot { $0 == .counter }
        let record = randomRecord()
        let delta = generator.isOnce(in: 5) ? Int64.max : Int64(generator.number(in: -9...9))
        var sum: Int64 = -1
        let isAsking = !generator.isOnce(in: 4)
        let code = withUnsafeMutablePointer(to: &sum) {
            functions.counter_add(context, slot, record, delta, isAsking ? $0 : nil)
        }
        guard let key = harness.keys[Int(record)] else {
            return try requireCode(code, APUS_UNSUPPORTED, "counter_add")
        }
        try requireCode(code, APUS_OK, "counter_add")
        var old: Int64 = 0
        if case .sum(let sum) = model[key, Int(slot)] { old = sum }
        model[key, Int(slot)] = .sum(old &+ delta)
        try require(!isAsking || sum == old &+ delta, "counter_add told \(sum)")
        try compare(slot, record)
    }

    // MARK: - Any kind

    func clear() throws {
        let slot = UInt32(generator.number(in: 0...slots.count - 1))
        let record = randomRecord()
        let code = functions.clear(context, slot, record)
        guard let key = harness.keys[Int(record)] else {
            return try requireCode(code, APUS_UNSUPPORTED, "clear")
        }
        try requireCode(code, model[key, Int(slot)] == nil ? APUS_NOT_FOUND : APUS_OK, "clear")
        model[key, Int(slot)] = nil
        try compare(slot, record)
    }

    /// Reads a slot of whatever kind, and compares it with the model.
    func compare(_ slot: UInt32, _ record: UInt32) throws {
        let kind = slots[Int(slot)].kind
        guard let key = harness.keys[Int(record)] else {
            return try compareWithoutKey(slot, record, kind)
        }
        let expected = model[key, Int(slot)]
        let missing: Int32 = expected == nil ? APUS_NOT_FOUND : APUS_OK
        switch kind {
        case .fixedValue, .value:
            var found = apus_bytes()
            let code = functions.value_get(context, slot, record, &found)
            try requireCode(code, missing, "value_get")
            if code == APUS_OK {
                try require(.bytes(Array(found)) == expected, "value_get of slot \(slot)")
                try require(found.data != nil, "an empty value has an address too")
            }
        case .counter:
            var sum: Int64 = -1
            let code = functions.counter_get(context, slot, record, &sum)
            try requireCode(code, missing, "counter_get")
            try require((expected ?? .sum(0)) == .sum(sum), "counter_get gave \(sum)")
        case .list:
            try compareList(slot, record, expected)
        case .map:
            try compareMap(slot, record, expected)
        }
    }

    private func compareWithoutKey(
        _ slot: UInt32,
        _ record: UInt32,
        _ kind: SlotDescription.Kind
    ) throws {
        var bytes = apus_bytes()
        var sum: Int64 = 0
        var count: UInt64 = 0
        let code: Int32 =
            switch kind {
            case .fixedValue, .value: functions.value_get(context, slot, record, &bytes)
            case .counter: functions.counter_get(context, slot, record, &sum)
            case .list: functions.list_count(context, slot, record, &count)
            case .map: functions.map_count(context, slot, record, &count)
            }
        try requireCode(code, APUS_UNSUPPORTED, "reading without key")
    }
}
