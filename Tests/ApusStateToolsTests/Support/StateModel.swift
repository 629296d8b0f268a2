import ApusCore
import ApusTestSupport

@testable import ApusState

/// What the operators of a test hold.
struct StateModel: Equatable {
    /// What a key of an operator holds.
    struct Key: Equatable {
        var slots: [Int: SlotContent] = [:]
        var timers: Set<ModelTimer> = []
        /// When it was last written.
        var writtenMicroseconds: Int64 = 0

        var isEmpty: Bool { slots.isEmpty && timers.isEmpty }
    }

    var keys: [UInt16: [[UInt8]: Key]] = [:]

    subscript(number: UInt16, key: [UInt8]) -> Key {
        get { keys[number]?[key] ?? Key() }
        set { keys[number, default: [:]][key] = newValue.isEmpty ? nil : newValue }
    }

    func timers(_ sample: SampleOperator, _ domain: KeyedState.TimerDomain) -> Set<ModelTimer> {
        Set((keys[sample.number] ?? [:]).values.flatMap(\.timers)).filter {
            sample.timers[$0.name].domain == domain
        }
    }
}

/// Fills state and its model with the same.
struct StateFill {
    let bench: StateBench
    let sample: SampleOperator

    /// Gives a key random state, at a time.
    func fill(
        _ key: [UInt8],
        _ model: inout StateModel,
        at time: Int64,
        using generator: inout SplitMix64
    ) throws {
        bench.state.setTime(microseconds: time, watermark: .min)
        var held = model[sample.number, key]
        var isWritten = false
        try bench.with(key) {
            for (slot, description) in sample.slots.enumerated() where !generator.isOnce(in: 3) {
                held.slots[slot] = try put(UInt32(slot), description.kind, held, &generator)
                isWritten = true
            }
            for (name, _) in sample.timers.enumerated() where generator.isOnce(in: 2) {
                isWritten = true
                for id in 0..<UInt64(generator.number(in: 1...3)) {
                    let payload = generator.isOnce(in: 2) ? [] : generator.bytes(5)
                    let time = Int64(generator.number(in: -1_000_000...1_000_000_000))
                    try bench.set(UInt32(name), id: id &* .max, time: time, payload: payload)
                    held.timers = held.timers.filter { $0.name != name || $0.id != id &* .max }
                    held.timers.insert(
                        ModelTimer(
                            key: key,
                            name: name,
                            id: id &* .max,
                            time: time,
                            payload: payload
                        )
                    )
                }
            }
            if held.isEmpty {
                try bench.put(0, Array("12345678".utf8))
                held.slots[0] = .value(Array("12345678".utf8))
                isWritten = true
            }
        }
        held.writtenMicroseconds = isWritten ? time : held.writtenMicroseconds
        model[sample.number, key] = held
    }

    private func put(
        _ slot: UInt32,
        _ kind: SlotDescription.Kind,
        _ held: StateModel.Key,
        _ generator: inout SplitMix64
    ) throws -> SlotContent {
        switch kind {
        case .value, .fixedValue:
            var byteCount = generator.sliceLength(upTo: 60)
            if case .fixedValue(let fixed) = kind { byteCount = fixed }
            let bytes =
                generator.isOnce(in: 2)
                ? generator.bytes(byteCount)
                : [UInt8](repeating: UInt8(ascii: "x"), count: byteCount)
            try bench.put(slot, bytes)
            return .value(bytes)
        case .counter:
            let number = Int64(generator.number(in: -5...1_000_000))
            try bench.add(slot, number)
            guard case .counter(let sum)? = held.slots[Int(slot)] else { return .counter(number) }
            return .counter(sum + number)
        case .list:
            var values: [[UInt8]] = []
            if case .list(let there)? = held.slots[Int(slot)] { values = there }
            for _ in 0..<generator.number(in: 1...4) {
                let bytes = generator.bytes(generator.sliceLength(upTo: 30))
                try bench.append(slot, bytes)
                values.append(bytes)
            }
            return .list(values)
        case .map:
            var entries: [[UInt8]: [UInt8]] = [:]
            if case .map(let there)? = held.slots[Int(slot)] { entries = there }
            for _ in 0..<generator.number(in: 1...4) {
                let key = generator.bytes(generator.sliceLength(upTo: 20))
                let bytes = generator.bytes(generator.sliceLength(upTo: 30))
                try bench.putEntry(slot, key, bytes)
                entries[key] = bytes
            }
            return .map(entries)
        }
    }
}
