import ApusMemory
import ApusTestSupport

@testable import ApusState

// What tools do with running state, between the callbacks: random purges and undos.
extension StateRun {
    /// Removes random keys, or a slot of them, and perhaps puts some of them back.
    ///
    /// Tools hash keys themselves.
    func useTools() throws {
        guard harness.hasRealHash else { return }
        let keys = (0..<generator.number(in: 1...20)).compactMap { _ in randomKey() }
        let names = Array(Set(keys)).sorted(by: [UInt8].isBefore)
        guard !names.isEmpty else { return }
        var images: [KeyImage] = []
        let slot = generator.isOnce(in: 2) ? Int(randomSlot { _ in true }) : nil
        for name in names { if let image = image(of: name, slot: slot) { images.append(image) } }
        try purge(names, slot: slot)
        // Some have something again by then.
        if generator.isOnce(in: 2) { try callBack() }
        if generator.isOnce(in: 3) { maintain() }
        if !images.isEmpty { try restore(images) }
    }

    private func batch(_ names: [[UInt8]]) throws -> RecordBatch {
        let batch = RecordBatch(recordCapacity: names.count, arenaCapacity: 64)
        for name in names { try require(batch.append(key: name), "no room for a key") }
        return batch
    }

    private func purge(_ names: [[UInt8]], slot: Int?) throws {
        // No row has a time here, so that any other time is that of an older row.
        let isStale = names.map { _ in generator.isOnce(in: 5) }
        let outcomes = state.removeUntouched(
            try batch(names),
            written: isStale.map { $0 ? 77 : 0 }[...],
            slot: slot
        )
        for (index, name) in names.enumerated() {
            let expected: KeyedState.Removal
            if !model.keys.contains(name) {
                expected = .missing
            } else if isStale[index] {
                expected = .touched
            } else if let slot {
                expected = model[name, slot] == nil ? .missing : .removed
                model[name, slot] = nil
            } else {
                expected = .removed
                for slot in slots.indices where model[name, slot] != nil {
                    model[name, slot] = nil
                }
                for timer in model.timers.keys where timer.key == name {
                    try require(model.remove(timer), "the model knows its timers")
                }
            }
            try require(outcomes[index] == expected, "purge: \(outcomes[index]), not \(expected)")
        }
    }

    private func restore(_ images: [KeyImage]) throws {
        let outcomes = state.restore(try batch(images.map(\.key)), images[...])
        for (index, image) in images.enumerated() {
            let isOccupied =
                image.isWhole
                ? model.keys.contains(image.key)
                : image.values.contains { model[image.key, $0.slot] != nil }
            let expected: KeyedState.Restoration = isOccupied ? .occupied : .restored
            try require(outcomes[index] == expected, "undo: \(outcomes[index]), not \(expected)")
            guard !isOccupied else { continue }
            for value in image.values { model[image.key, value.slot] = Self.content(value) }
            for timer in image.timers {
                model.set(
                    StateModel.TimerID(key: image.key, name: UInt32(timer.name), id: timer.id),
                    StateModel.Timer(time: timer.timeMicroseconds, payload: timer.payload)
                )
            }
        }
    }

    private func image(of key: [UInt8], slot: Int?) -> KeyImage? {
        var image = KeyImage(key: key, values: [], timers: [], isWhole: slot == nil)
        for number in slots.indices where slot == nil || slot == number {
            guard let content = model[key, number] else { continue }
            image.values.append(KeyImage.Value(slot: number, content: Self.content(content)))
        }
        if slot == nil {
            for (id, timer) in model.timers where id.key == key {
                let domain = timerDomains[Int(id.name)]
                image.timers.append(
                    StoredRow.Timer(
                        domain: domain == .event ? 0 : 1,
                        name: Int(id.name),
                        id: id.id,
                        timeMicroseconds: timer.time,
                        payload: timer.payload
                    )
                )
            }
        }
        return image.values.isEmpty && image.timers.isEmpty ? nil : image
    }

    private static func content(_ content: StateModel.Content) -> KeyImage.Value.Content {
        switch content {
        case .bytes(let bytes): .bytes(bytes)
        case .sum(let sum): .number(sum)
        case .list(let list): .list(list)
        case .map(let map):
            .map(map.sorted { [UInt8].isBefore($0.key, $1.key) }.map { ($0.key, $0.value) })
        }
    }

    private static func content(_ value: KeyImage.Value) -> StateModel.Content {
        switch value.content {
        case .bytes(let bytes): .bytes(bytes)
        case .number(let number): .sum(number)
        case .list(let list): .list(list)
        case .map(let map): .map(Dictionary(uniqueKeysWithValues: map.map { ($0.key, $0.value) }))
        }
    }
}
