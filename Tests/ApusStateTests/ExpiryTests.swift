import ApusIO
import ApusMemory
import ApusTestSupport
import CApusPlugin
import Testing

@testable import ApusState

/// State with a time to live, in memory alone and in two tiers.
@Suite("Keyed state that expires")
struct ExpiryTests {
    private static let second: Int64 = 1_000_000
    private static let start: Int64 = 1_800_000_000 * second

    private static func slots(
        readsRefresh: Bool,
        _ domain: KeyedState.TimerDomain
    )
        -> [SlotDescription]
    {
        let expiry = SlotExpiry(
            ttlMicroseconds: 10 * second,
            isRefreshedByReads: readsRefresh,
            domain: domain
        )
        return [
            SlotDescription(name: "fixed", kind: .fixedValue(byteCount: 8), expiry: expiry),
            SlotDescription(name: "text", kind: .value, expiry: expiry),
            SlotDescription(name: "count", kind: .counter, expiry: expiry),
            SlotDescription(name: "list", kind: .list, expiry: expiry),
            SlotDescription(name: "map", kind: .map, expiry: expiry),
            SlotDescription(name: "stays", kind: .counter),
        ]
    }

    private func harness(
        readsRefresh: Bool = false,
        domain: KeyedState.TimerDomain = .processing,
        durable: DurableWorld? = nil
    ) -> StateHarness {
        StateHarness(
            slots: Self.slots(readsRefresh: readsRefresh, domain),
            timers: [],
            groupCount: 4,
            tier: durable?.tier(groupCount: 4, isRestored: false, StateTotals())
        )
    }

    /// Lets the clock of a domain show so many seconds, and the other one stand still.
    private func setTime(
        _ harness: StateHarness,
        _ seconds: Int64,
        _ domain: KeyedState.TimerDomain
    ) {
        let time = Self.start + seconds * Self.second
        harness.state.setTime(
            microseconds: domain == .processing ? time : Self.start,
            watermark: domain == .event ? time : Self.start
        )
    }

    private func fill(_ harness: StateHarness, _ key: [UInt8]) {
        harness.begin([key])
        let functions = harness.functions
        let eight: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8]
        #expect(functions.value_put(harness.context, 0, 0, eight, 8) == APUS_OK)
        #expect(functions.value_put(harness.context, 1, 0, eight, 8) == APUS_OK)
        #expect(functions.counter_add(harness.context, 2, 0, 5, nil) == APUS_OK)
        #expect(functions.list_append(harness.context, 3, 0, eight, 8) == APUS_OK)
        #expect(functions.map_put(harness.context, 4, 0, eight, 8, eight, 8) == APUS_OK)
        harness.end()
    }

    /// The slots that hold something for a key.
    private func held(_ harness: StateHarness, _ key: [UInt8]) -> Set<Int> {
        harness.begin([key])
        defer { harness.end() }
        let functions = harness.functions
        var held: Set<Int> = []
        var bytes = apus_bytes()
        var sum: Int64 = 0
        var count: UInt64 = 0
        if functions.value_get(harness.context, 0, 0, &bytes) == APUS_OK { held.insert(0) }
        if functions.value_get(harness.context, 1, 0, &bytes) == APUS_OK { held.insert(1) }
        if functions.counter_get(harness.context, 2, 0, &sum) == APUS_OK { held.insert(2) }
        if functions.list_count(harness.context, 3, 0, &count) == APUS_OK { held.insert(3) }
        if functions.map_count(harness.context, 4, 0, &count) == APUS_OK { held.insert(4) }
        if functions.counter_get(harness.context, 5, 0, &sum) == APUS_OK { held.insert(5) }
        return held
    }

    @Test(
        "is there until its time has come, by either clock",
        arguments: [KeyedState.TimerDomain.processing, .event]
    )
    func isThereUntilItsTime(domain: KeyedState.TimerDomain) {
        let harness = harness(domain: domain)
        setTime(harness, 0, domain)
        fill(harness, [1])
        setTime(harness, 9, domain)
        #expect(held(harness, [1]) == [0, 1, 2, 3, 4])
        setTime(harness, 10, domain)
        #expect(held(harness, [1]) == [])
        #expect(harness.state.keyCount == 0)
        #expect(harness.state.expiredCount == 5)
        #expect(harness.state.pool.usedByteCount == 0)
    }

    @Test("lives on by writes, and by reads where the rule says so", arguments: [false, true])
    func livesOn(readsRefresh: Bool) {
        let harness = harness(readsRefresh: readsRefresh)
        setTime(harness, 0, .processing)
        fill(harness, [1])
        fill(harness, [2])
        setTime(harness, 6, .processing)
        fill(harness, [1])
        #expect(held(harness, [2]).count == 5)
        setTime(harness, 12, .processing)
        #expect(held(harness, [1]).count == 5)
        #expect(held(harness, [2]).count == (readsRefresh ? 5 : 0))
    }

    @Test("begins anew when it is written after its time")
    func beginsAnew() {
        let harness = harness()
        setTime(harness, 0, .processing)
        fill(harness, [1])
        setTime(harness, 20, .processing)
        harness.begin([[1]])
        var sum: Int64 = 0
        #expect(harness.functions.counter_add(harness.context, 2, 0, 1, &sum) == APUS_OK)
        #expect(sum == 1)
        var pointers: [UnsafeMutableRawPointer?] = [nil]
        var created: [UInt8] = [9]
        let code = harness.functions.value_mut_many(harness.context, 0, 0, 1, &pointers, &created)
        #expect(code == APUS_OK)
        #expect(created == [1])
        #expect(pointers[0]?.load(as: UInt64.self) == 0)
        harness.end()
    }

    @Test("a sweep finds what nobody asks for, and leaves the rest")
    func sweepFindsTheRest() {
        let harness = harness()
        setTime(harness, 0, .processing)
        for key in 0..<1000 { fill(harness, [UInt8(key % 251), UInt8(key / 251)]) }
        harness.begin([[0, 0]])
        #expect(harness.functions.counter_add(harness.context, 5, 0, 1, nil) == APUS_OK)
        harness.end()
        setTime(harness, 60, .processing)
        for _ in 0..<40 {
            harness.state.maintain(untilNanoseconds: .max, clock: LinuxClock())
        }
        #expect(harness.state.keyCount == 1)
        #expect(held(harness, [0, 0]) == [5])
    }

    @Test("keeps its age in the database, and through a restart")
    func keepsItsAge() throws {
        let durable = try DurableWorld(budgetByteCount: 1)
        let harness = harness(durable: durable)
        setTime(harness, 0, .processing)
        fill(harness, [1])
        setTime(harness, 6, .processing)
        fill(harness, [2])
        harness.state.beginSnapshot(1)
        harness.state.continueSnapshot(untilNanoseconds: .max, clock: LinuxClock())
        try durable.writer.takeCheckpoint(1, to: durable.directory(1))
        let totals = harness.state.totals
        try durable.restore(durable.directory(1))
        let restored = KeyedState(
            slots: Self.slots(readsRefresh: false, .processing),
            timers: [],
            groups: harness.state.groups,
            tier: durable.tier(groupCount: 4, isRestored: true, totals)
        )
        harness.replaceState(restored)
        setTime(harness, 12, .processing)
        #expect(held(harness, [1]) == [])
        #expect(held(harness, [2]).count == 5)
        #expect(restored.keyCount == 1)
    }
}
