import ApusCore
import ApusMemory
import ApusTestSupport
import CApusPlugin

@testable import ApusState

/// Keyed state, one key at a time, through the functions that plugins call.
final class StateBench {
    let state: KeyedState
    private let functions = StateInterface.makeStateFunctions()
    private let timerFunctions = StateInterface.makeTimerFunctions()
    private let context: UnsafeMutablePointer<apus_ctx>
    private let batch = RecordBatch(recordCapacity: 4, arenaCapacity: 1024)
    private let view: UnsafeMutablePointer<apus_batch>

    init(_ sample: SampleOperator, groupCount: Int, tier: StateTier) {
        state = KeyedState(
            slots: sample.slots,
            timers: sample.timers.map(\.domain),
            groups: KeyGroups(count: groupCount),
            tier: tier
        )
        view = .allocate(capacity: 1)
        view.initialize(to: batch.view(input: 0, isKeyed: true))
        context = .allocate(capacity: 1)
        context.initialize(to: apus_ctx())
        context.pointee.size = UInt32(MemoryLayout<apus_ctx>.size)
        context.pointee.host_private = Unmanaged.passUnretained(state).toOpaque()
    }

    deinit {
        view.deallocate()
        context.deallocate()
    }

    /// Runs `body` in a callback with one record of the key.
    func with<Result>(_ key: [UInt8], _ body: () throws -> Result) throws -> Result {
        batch.reset()
        try check(batch.append(key: key, value: []), "the batch has room")
        KeyHash.fill(batch)
        view.pointee = batch.view(input: 0, isKeyed: true)
        state.begin(view, from: 0)
        defer { state.end() }
        return try body()
    }

    private func ok(_ code: Int32) throws {
        try check(code == APUS_OK, "a state function returned \(code)")
    }

    func put(_ slot: UInt32, _ bytes: [UInt8]) throws {
        try ok(functions.value_put(context, slot, 0, bytes, UInt64(bytes.count)))
    }

    func add(_ slot: UInt32, _ number: Int64) throws {
        try ok(functions.counter_add(context, slot, 0, number, nil))
    }

    func append(_ slot: UInt32, _ bytes: [UInt8]) throws {
        try ok(functions.list_append(context, slot, 0, bytes, UInt64(bytes.count)))
    }

    func putEntry(_ slot: UInt32, _ key: [UInt8], _ bytes: [UInt8]) throws {
        try ok(
            functions.map_put(
                context,
                slot,
                0,
                key,
                UInt64(key.count),
                bytes,
                UInt64(bytes.count)
            )
        )
    }

    func set(_ timer: UInt32, id: UInt64, time: Int64, payload: [UInt8]) throws {
        try ok(
            timerFunctions.set(context, timer, id, 0, time, payload, UInt64(payload.count))
        )
    }

    // MARK: - What a plugin sees

    /// What a slot holds, in a form that can be compared; nil when it holds nothing.
    func content(_ slot: UInt32, _ kind: SlotDescription.Kind) throws -> SlotContent? {
        switch kind {
        case .value, .fixedValue:
            var value = apus_bytes()
            let code = functions.value_get(context, slot, 0, &value)
            return code == APUS_NOT_FOUND ? nil : .value(Array(value))
        case .counter:
            var sum: Int64 = 0
            let code = functions.counter_get(context, slot, 0, &sum)
            return code == APUS_NOT_FOUND ? nil : .counter(sum)
        case .list:
            var cursor = apus_cursor_all()
            var values = [apus_bytes](repeating: apus_bytes(), count: 1000)
            var count: UInt32 = 0
            let code = functions.list_next(context, slot, 0, &cursor, &values, 1000, &count)
            if code == APUS_NOT_FOUND || count == 0 { return nil }
            try ok(code)
            return .list(values[..<Int(count)].map { Array($0) })
        case .map:
            var cursor = apus_cursor_all()
            var entries = [apus_entry](repeating: apus_entry(), count: 1000)
            var count: UInt32 = 0
            let code = functions.map_next(context, slot, 0, &cursor, &entries, 1000, &count)
            if code == APUS_NOT_FOUND || count == 0 { return nil }
            try ok(code)
            return .map(
                Dictionary(
                    uniqueKeysWithValues: entries[..<Int(count)].map {
                        (Array($0.key), Array($0.value))
                    }
                )
            )
        }
    }

    /// Fires all timers of a domain and returns them.
    func fireAll(_ domain: KeyedState.TimerDomain) -> Set<ModelTimer> {
        var fired: Set<ModelTimer> = []
        let batch = TimerBatch(capacity: 16)
        while state.takeDue(domain, upTo: .max - 1, into: batch) {
            for index in 0..<batch.count {
                fired.insert(
                    ModelTimer(
                        key: batch.records.key(index) ?? [],
                        name: Int(batch.names[index]),
                        id: batch.ids[index],
                        time: batch.records.times[index],
                        payload: batch.records.value(index)
                    )
                )
            }
            view.pointee = batch.records.view(input: 0, isKeyed: true)
            state.begin(batch, view)
            state.end()
        }
        return fired
    }
}

/// What a slot holds.
enum SlotContent: Hashable {
    case value([UInt8])
    case counter(Int64)
    case list([[UInt8]])
    case map([[UInt8]: [UInt8]])
}

/// A timer that is armed.
struct ModelTimer: Hashable {
    let key: [UInt8]
    let name: Int
    let id: UInt64
    let time: Int64
    let payload: [UInt8]
}

extension [UInt8] {
    /// The bytes that the host gave out.
    fileprivate init(_ bytes: apus_bytes) {
        self.init(UnsafeRawBufferPointer(start: bytes.data, count: Int(bytes.len)))
    }
}
