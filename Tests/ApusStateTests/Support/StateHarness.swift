import ApusCore
import ApusMemory
import ApusTestSupport
import CApusPlugin

@testable import ApusState

/// Keyed state with the context through which a plugin reaches it, and the callback in hand.
///
/// All access goes through the tables of C functions, as a plugin's does.
final class StateHarness {
    private(set) var state: KeyedState
    let functions = StateInterface.makeStateFunctions()
    let timerFunctions = StateInterface.makeTimerFunctions()
    let context: UnsafeMutablePointer<apus_ctx>
    let batch: RecordBatch
    let timers: TimerBatch

    /// The keys of the records in hand; empty between callbacks.
    private(set) var keys: [[UInt8]?] = []
    private let view: UnsafeMutablePointer<apus_batch>
    private let hash: ([UInt8]) -> UInt64

    /// Creates empty state whose keys are hashed by `hash`; bad hashes make long probes.
    init(
        slots: [SlotDescription],
        timers: [KeyedState.TimerDomain],
        groupCount: Int,
        recordCapacity: Int = 2048,
        timerCapacity: Int = 16,
        tier: StateTier? = nil,
        hash: @escaping ([UInt8]) -> UInt64 = StateHarness.realHash
    ) {
        state = KeyedState(
            slots: slots,
            timers: timers,
            groups: KeyGroups(count: groupCount),
            tier: tier
        )
        batch = RecordBatch(recordCapacity: recordCapacity, arenaCapacity: 1024)
        self.timers = TimerBatch(capacity: timerCapacity)
        self.hash = hash
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

    /// Goes on with another state, as after a restart.
    func replaceState(_ newState: KeyedState) {
        state = newState
        context.pointee.host_private = Unmanaged.passUnretained(newState).toOpaque()
    }

    static func realHash(_ key: [UInt8]) -> UInt64 {
        key.withUnsafeBytes { KeyHash.of($0) }
    }

    /// Whether keys are hashed as everywhere else.
    var hasRealHash: Bool { hash([1, 2, 3]) == Self.realHash([1, 2, 3]) }

    /// Begins a callback with a record for each key.
    func begin(_ keys: [[UInt8]?]) {
        batch.reset()
        for key in keys { precondition(batch.append(key: key, value: []), "the batch has room") }
        for (index, key) in keys.enumerated() { batch.hashes[index] = key.map(hash) ?? 0 }
        begin(keys, from: 0)
    }

    /// Begins a callback anew with the batch of the last one, after a yield.
    func begin(_ keys: [[UInt8]?], from first: Int) {
        self.keys = keys
        view.pointee = batch.view(input: 0, isKeyed: true)
        state.begin(view, from: first)
    }

    /// Begins a callback with the timers that were taken.
    func beginTimers() {
        keys = timers.records.records.map(\.key)
        view.pointee = timers.records.view(input: 0, isKeyed: true)
        state.begin(timers, view)
    }

    func end() {
        state.end()
        keys = []
    }
}

extension [UInt8] {
    /// The bytes that the host gave out.
    init(_ bytes: apus_bytes) {
        self.init(UnsafeRawBufferPointer(start: bytes.data, count: Int(bytes.len)))
    }
}
