import ApusCore
import ApusMemory
import ApusStore
import ApusTestSupport
import CApusPlugin

@testable import ApusState

/// A run of random callbacks against keyed state and its model at once.
///
/// Everything follows from the seed, which each failure names together with the step.
final class StateRun {
    /// Several slots of each kind, sizes that fill their place and sizes that do not.
    static let allSlots: [SlotDescription] = [
        SlotDescription(name: "eight", kind: .fixedValue(byteCount: 8)),
        SlotDescription(name: "odd", kind: .fixedValue(byteCount: 21)),
        SlotDescription(name: "text", kind: .value),
        SlotDescription(name: "count", kind: .counter),
        SlotDescription(name: "list", kind: .list),
        SlotDescription(name: "map", kind: .map),
        SlotDescription(name: "text-2", kind: .value),
        SlotDescription(name: "count-2", kind: .counter),
        SlotDescription(name: "one", kind: .fixedValue(byteCount: 1)),
        SlotDescription(name: "list-2", kind: .list),
        SlotDescription(name: "map-2", kind: .map),
    ]
    static let allTimerDomains: [KeyedState.TimerDomain] = [.event, .processing, .event]

    /// What the operator declares.
    enum Declarations {
        /// Every kind of state, and timers.
        case all
        /// Every kind of state, and timers in event time alone.
        case eventTimers
        /// Values and counters, which can be spilled.
        case values
    }

    let slots: [SlotDescription]
    let timerDomains: [KeyedState.TimerDomain]
    let seed: UInt64
    let harness: StateHarness
    /// The database and what belongs to it; nil for state in memory alone.
    let durable: DurableWorld?
    let groupCount: Int
    /// What the last checkpoint holds.
    var saved: (directory: String, model: StateModel, rows: [SavedRows])?
    /// Whether other versions take over now and then.
    let swaps: Bool
    /// Whether the version before comes back now and then.
    let goesBack: Bool
    /// How often one has taken over, and how often one has come back; see StateRun+Swap.swift.
    var swapCount = 0
    var backCount = 0
    /// The version before, as long as it may come back.
    var replaced: KeyedState?
    /// How many rows were moved, over all versions that are gone.
    var adoptedCount = 0
    var generator: SplitMix64
    var model = StateModel()
    /// Event and processing time, both.
    var now: Int64 = 1_000
    private(set) var step = 0
    private let keys: [[UInt8]]
    /// The most rows that were spilled at a time.
    private(set) var spilledMost = 0

    init(
        seed: UInt64,
        groupCount: Int,
        keyCount: Int,
        timerCapacity: Int = 16,
        durable: DurableWorld? = nil,
        declarations: Declarations = .all,
        swaps: Bool = false,
        goesBack: Bool = false,
        hash: @escaping ([UInt8]) -> UInt64 = StateHarness.realHash
    ) {
        self.seed = seed
        self.durable = durable
        self.swaps = swaps
        self.goesBack = goesBack
        self.groupCount = groupCount
        timerDomains =
            switch declarations {
            case .all: Self.allTimerDomains
            case .eventTimers: [.event, .event, .event]
            case .values: []
            }
        slots = Self.allSlots.filter { declarations != .values || !Self.isCollection($0.kind) }
        var generator = SplitMix64(seed: seed)
        keys = Self.makeKeys(keyCount, using: &generator)
        self.generator = generator
        harness = StateHarness(
            slots: slots,
            timers: timerDomains,
            groupCount: groupCount,
            timerCapacity: timerCapacity,
            tier: durable?.tier(groupCount: groupCount, isRestored: false, StateTotals()),
            hash: hash
        )
        prepareSpill(state)
    }

    private static func isCollection(_ kind: SlotDescription.Kind) -> Bool {
        kind == .list || kind == .map
    }

    /// Has segments taken back at once.
    func prepareSpill(_ state: KeyedState) { state.spill?.slackByteCount = 0 }

    var state: KeyedState { harness.state }
    var functions: apus_state_api { harness.functions }
    var context: UnsafeMutablePointer<apus_ctx> { harness.context }

    /// Keys of all lengths; many are the same but for their last byte.
    private static func makeKeys(_ count: Int, using generator: inout SplitMix64) -> [[UInt8]] {
        var keys: Set<[UInt8]> = [[]]
        while keys.count < count {
            let length = generator.sliceLength(upTo: 200)
            if let last = UInt8(exactly: generator.number(in: 0...511)), length > 0 {
                keys.insert(Array(repeating: 0x61, count: length - 1) + [last])
            } else {
                keys.insert(generator.bytes(length))
            }
        }
        return keys.sorted(by: [UInt8].isBefore)
    }

    func require(_ isTrue: Bool, _ what: @autoclosure () -> String) throws {
        try check(isTrue, "seed \(seed), step \(step): \(what())")
    }

    func requireCode(_ code: Int32, _ expected: Int32, _ what: @autoclosure () -> String) throws {
        try require(code == expected, "\(what()) returned \(code), not \(expected)")
    }

    /// A key of the pool, or none.
    func randomKey() -> [UInt8]? {
        generator.isOnce(in: 12) ? nil : keys[generator.number(in: 0...keys.count - 1)]
    }

    func randomRecord() -> UInt32 {
        UInt32(generator.number(in: 0...harness.keys.count - 1))
    }

    func randomSlot(_ isWanted: (SlotDescription.Kind) -> Bool) -> UInt32 {
        let wanted = slots.indices.filter { isWanted(slots[$0].kind) }
        return UInt32(wanted[generator.number(in: 0...wanted.count - 1)])
    }

    // MARK: - Steps

    /// Runs so many random callbacks, then takes everything away and looks at what is left.
    func run(stepCount: Int) throws {
        while step < stepCount {
            step += 1
            if durable != nil { try workOnDurability() }
            if swaps { try workOnSwaps() }
            spilledMost = max(spilledMost, state.spill?.index.count ?? 0)
            generator.isOnce(in: 60) ? try compareAll() : try callBack()
            try require(
                state.keyCount == model.keyCount,
                "\(state.keyCount) keys, not \(model.keyCount)"
            )
        }
        try compareAll()
        try clearAll()
    }

    /// A callback with records or timers.
    func callBack() throws {
        let hasTimers = !timerDomains.isEmpty
        hasTimers && generator.isOnce(in: 3) ? try fireTimers() : try processBatch()
    }

    private func processBatch() throws {
        let recordCount =
            generator.isOnce(in: 60) ? 1_500 : generator.number(in: 1...60)
        let keys = (0..<recordCount).map { _ in randomKey() }
        harness.begin(keys)
        var at = 0
        while true {
            for _ in 0..<generator.number(in: 0...25) { try operate() }
            harness.end()
            // A yield: the same batch again, from a later record on.
            guard generator.isOnce(in: 4), at < recordCount - 1 else { return }
            at = generator.number(in: at...recordCount - 1)
            harness.begin(keys, from: at)
        }
    }

    /// One random operation on one random record of the callback.
    func operate() throws {
        let last = timerDomains.isEmpty ? 8 : 21
        switch generator.number(in: 0...last) {
        case 0...1: try getValue()
        case 2...3: try putValue()
        case 4: try mutateValue()
        case 5: try mutateMany()
        case 6: try putValueIntoItself()
        case 7: try count()
        case 8: try clear()
        case 9: try holdAcrossOtherKeys()
        case 10...11: try appendToList()
        case 12: try walkList()
        case 13: try appendOwnElement()
        case 14...15: try putIntoMap()
        case 16: try getAndRemoveFromMap()
        case 17: try walkMap()
        case 18: try writeWhileWalking()
        case 19: try count()
        case 20: try setTimer()
        default: generator.isOnce(in: 3) ? try cancelTimer() : try setTimer()
        }
    }

    // MARK: - Everything

    /// Compares each slot of each key of the pool, and the numbers of timers.
    private func compareAll() throws {
        harness.begin(keys)
        for record in keys.indices {
            for slot in slots.indices { try compare(UInt32(slot), UInt32(record)) }
        }
        harness.end()
        for domain in [KeyedState.TimerDomain.event, .processing] {
            let times = model.timers
                .filter { timerDomains[Int($0.key.name)] == domain }
                .map(\.value.time)
            try require(state.timerCount(domain) == times.count, "timers of \(domain)")
            // With keys that are not in memory it is a lower bound.
            let next = state.nextTimerTime(domain)
            let expected = times.min() ?? .max
            try require(
                durable == nil && !state.isMigrating ? next == expected : next <= expected,
                "next timer of \(domain)"
            )
        }
        if let failure = state.failure { try require(false, failure.description) }
        guard durable == nil, !state.isMigrating else { return }
        var rowCount = 0
        state.table.forEachRow { _ in rowCount += 1 }
        try require(rowCount == model.keyCount, "walked over \(rowCount) rows")
    }

    private func clearAll() throws {
        harness.begin(keys)
        for record in keys.indices {
            for slot in slots.indices {
                let had = model[keys[record], slot] != nil
                let code = functions.clear(context, UInt32(slot), UInt32(record))
                try requireCode(code, had ? APUS_OK : APUS_NOT_FOUND, "clear at the end")
            }
        }
        for timer in model.timers.keys {
            guard let record = keys.firstIndex(of: timer.key) else { continue }
            let code = harness.timerFunctions.cancel(context, timer.name, timer.id, UInt32(record))
            try requireCode(code, APUS_OK, "cancel at the end")
        }
        harness.end()
        if durable != nil { try bury() }
        try require(state.table.rowCount == 0, "\(state.table.rowCount) rows are left")
        try require(state.keyCount == 0, "\(state.keyCount) keys are left")
        try require(state.pool.usedByteCount == 0, "\(state.pool.usedByteCount) bytes are left")
        try require(
            state.timerCount(.event) == 0 && state.timerCount(.processing) == 0,
            "timers are left"
        )
    }
}
