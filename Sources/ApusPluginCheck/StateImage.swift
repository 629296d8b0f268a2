import ApusCore
import ApusMemory
import ApusPluginHost
import ApusState
import CApusPlugin

/// What an instance holds: state per key, timers, broadcast and operator state.
///
/// Taken by way of the functions that the plugin itself uses.  Timers are taken out, so the
/// instance is good for nothing afterwards.
struct StateImage: Equatable, Sendable {
    /// What a slot of a key holds: values, elements, or keys and values in turn.
    struct Entry: Equatable, Sendable {
        var key: [UInt8]
        var slot: Int
        var parts: [[UInt8]]
    }

    /// An armed timer.
    struct Timer: Equatable, Sendable {
        var key: [UInt8]
        var domain: UInt8
        var name: Int
        var id: UInt64
        var time: Int64
        var payload: [UInt8]
    }

    var entries: [Entry] = []
    var timers: [Timer] = []
    var broadcasts: [[BroadcastEntry]]?
    var operatorState: [OperatorStateItems]?

    /// The first thing in which another one is different; nil when they are equal.
    func difference(from other: StateImage) -> String? {
        func texts(_ image: StateImage) -> [String] {
            image.entries.map {
                "key \(OutputRecord.text($0.key)), state \($0.slot): "
                    + $0.parts.map { OutputRecord.text($0) }.joined(separator: ", ")
            }
        }
        func timerTexts(_ image: StateImage) -> [String] {
            image.timers.map {
                "key \(OutputRecord.text($0.key)), timer \($0.name), id \($0.id), time \($0.time), "
                    + "payload \(OutputRecord.text($0.payload))"
            }
        }
        if let text = Transcript.difference(texts(other), texts(self), "state", "at the end") {
            return text
        }
        if let text = Transcript.difference(
            timerTexts(other),
            timerTexts(self),
            "armed timer",
            "at the end"
        ) {
            return text
        }
        if broadcasts != other.broadcasts { return "broadcast state at the end is different" }
        if operatorState != other.operatorState { return "operator state at the end is different" }
        return nil
    }
}

// MARK: - Taking

extension StateImage {
    /// Takes what an instance holds.
    ///
    /// - Parameters:
    ///   - instance: Between two callbacks; not to be used any more.
    ///   - keys: All keys that it can have state for.
    init(of instance: OperatorInstance, keys: [[UInt8]]) {
        broadcasts = instance.broadcasts.map { state in
            state.beginSnapshot()
            state.continueSnapshot { true }
            return state.takeSnapshot()?.contents ?? []
        }
        operatorState = instance.operatorState.map { lists in
            lists.beginSnapshot()
            lists.continueSnapshot { true }
            guard let snapshot = lists.takeSnapshot() else { return [] }
            return OperatorStateFile.decode(OperatorStateFile.encode([snapshot]))?.first ?? []
        }
        guard let state = instance.state else { return }
        for first in stride(from: 0, to: keys.count, by: 1024) {
            takeEntries(of: state, instance, keys[first..<min(first + 1024, keys.count)])
        }
        for domain in [KeyedState.TimerDomain.event, .processing] {
            takeTimers(of: state, domain)
        }
    }

    private mutating func takeTimers(of state: KeyedState, _ domain: KeyedState.TimerDomain) {
        let batch = TimerBatch()
        while state.takeDue(domain, upTo: .max, into: batch) {
            var view = batch.records.view(input: 0, isKeyed: true)
            withUnsafePointer(to: &view) { state.begin(batch, $0) }
            state.end()
            for index in 0..<batch.count {
                timers.append(
                    Timer(
                        key: Array(batch.records.bytes(of: batch.records.keys + index)),
                        domain: domain == .event ? 0 : 1,
                        name: Int(batch.names[index]),
                        id: batch.ids[index],
                        time: batch.records.times[index],
                        payload: Array(batch.records.bytes(of: batch.records.values + index))
                    )
                )
            }
        }
        timers.sort {
            if $0.domain != $1.domain { return $0.domain < $1.domain }
            if $0.time != $1.time { return $0.time < $1.time }
            if $0.name != $1.name { return $0.name < $1.name }
            if $0.id != $1.id { return $0.id < $1.id }
            return $0.key.lexicographicallyPrecedes($1.key)
        }
    }

    private mutating func takeEntries(
        of state: KeyedState,
        _ instance: OperatorInstance,
        _ keys: ArraySlice<[UInt8]>
    ) {
        let batch = Self.batch(of: keys)
        var view = batch.view(input: 0, isKeyed: true)
        // SAFETY: the batch and the context live until the end of this function, and the state
        // longer; what comes out is copied at once.
        withUnsafePointer(to: &view) { state.begin($0, from: 0) }
        defer { state.end() }
        let functions = StateInterface.makeStateFunctions()
        var context = apus_ctx()
        context.host_private = Unmanaged.passUnretained(state).toOpaque()
        for (index, key) in keys.enumerated() {
            for (slot, declared) in instance.description.states.enumerated() {
                let parts = Self.parts(
                    functions,
                    &context,
                    UInt32(slot),
                    UInt32(index),
                    declared.slot.kind
                )
                if let parts { entries.append(Entry(key: key, slot: slot, parts: parts)) }
            }
        }
    }

    static func batch(of keys: ArraySlice<[UInt8]>) -> RecordBatch {
        let byteCount = keys.reduce(16) { $0 + $1.count }
        let batch = RecordBatch(recordCapacity: max(1, keys.count), arenaCapacity: byteCount)
        for key in keys { _ = batch.append(key: key) }
        KeyHash.fill(batch)
        return batch
    }

    private static func parts(
        _ functions: apus_state_api,
        _ context: UnsafeMutablePointer<apus_ctx>,
        _ slot: UInt32,
        _ record: UInt32,
        _ kind: SlotDescription.Kind
    ) -> [[UInt8]]? {
        switch kind {
        case .value, .fixedValue:
            var value = apus_bytes()
            guard functions.value_get(context, slot, record, &value) == APUS_OK else { return nil }
            return [Self.copy(value)]
        case .counter:
            var sum: Int64 = 0
            guard functions.counter_get(context, slot, record, &sum) == APUS_OK else { return nil }
            return [withUnsafeBytes(of: sum, Array.init)]
        case .list:
            return list(functions, context, slot, record)
        case .map:
            return map(functions, context, slot, record)
        }
    }

    private static func list(
        _ functions: apus_state_api,
        _ context: UnsafeMutablePointer<apus_ctx>,
        _ slot: UInt32,
        _ record: UInt32
    ) -> [[UInt8]]? {
        var cursor = apus_cursor_all()
        var parts: [[UInt8]] = []
        var values = [apus_bytes](repeating: apus_bytes(), count: 64)
        while true {
            var count: UInt32 = 0
            let code = functions.list_next(context, slot, record, &cursor, &values, 64, &count)
            guard code == APUS_OK, count > 0 else { return parts.isEmpty ? nil : parts }
            parts += values.prefix(Int(count)).map(copy)
        }
    }

    private static func map(
        _ functions: apus_state_api,
        _ context: UnsafeMutablePointer<apus_ctx>,
        _ slot: UInt32,
        _ record: UInt32
    ) -> [[UInt8]]? {
        var cursor = apus_cursor_all()
        var parts: [[UInt8]] = []
        var entries = [apus_entry](repeating: apus_entry(), count: 64)
        while true {
            var count: UInt32 = 0
            let code = functions.map_next(context, slot, record, &cursor, &entries, 64, &count)
            guard code == APUS_OK, count > 0 else { return parts.isEmpty ? nil : parts }
            parts += entries.prefix(Int(count)).flatMap { [copy($0.key), copy($0.value)] }
        }
    }

    private static func copy(_ bytes: apus_bytes) -> [UInt8] {
        Array(UnsafeRawBufferPointer(start: bytes.data, count: Int(bytes.len)))
    }
}

// MARK: - Putting back

extension StateImage {
    /// Puts state and timers of some keys into an instance that has none.
    ///
    /// Broadcast and operator state go by way of the instance's arguments.
    func restore(
        into instance: OperatorInstance,
        where isWanted: ([UInt8]) -> Bool = { _ in true }
    ) -> Bool {
        guard let state = instance.state else { return true }
        var images: [[UInt8]: KeyImage] = [:]
        func edit(_ key: [UInt8], _ change: (inout KeyImage) -> Void) {
            guard isWanted(key) else { return }
            change(&images[key, default: KeyImage(key: key, values: [], timers: [], isWhole: true)])
        }
        for entry in entries {
            let kind = instance.description.states[entry.slot].slot.kind
            edit(entry.key) {
                $0.values.append(KeyImage.Value(slot: entry.slot, content: content(entry, kind)))
            }
        }
        for timer in timers {
            let stored = StoredRow.Timer(
                domain: timer.domain,
                name: timer.name,
                id: timer.id,
                timeMicroseconds: timer.time,
                payload: timer.payload
            )
            edit(timer.key) { $0.timers.append(stored) }
        }
        let keys = Array(images.keys)
        for first in stride(from: 0, to: keys.count, by: 1024) {
            let some = keys[first..<min(first + 1024, keys.count)]
            let contents = some.compactMap { images[$0] }
            let results = state.restore(Self.batch(of: some), contents[...])
            for case .unfit in results { return false }
        }
        return true
    }

    private func content(_ entry: Entry, _ kind: SlotDescription.Kind) -> KeyImage.Value.Content {
        switch kind {
        case .value, .fixedValue: .bytes(entry.parts[0])
        case .counter:
            .number(entry.parts[0].withUnsafeBytes { $0.loadUnaligned(as: Int64.self) })
        case .list: .list(entry.parts)
        case .map:
            .map(
                stride(from: 0, to: entry.parts.count, by: 2)
                    .map { (key: entry.parts[$0], value: entry.parts[$0 + 1]) }
            )
        }
    }
}
