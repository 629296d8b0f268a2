import ApusCore
import ApusIO
import ApusTestSupport
import CApusPlugin
import Testing

@testable import ApusState

/// Goal: firing timers of keys that are not in memory brings no more of them there than it needs.
@Suite("Timers of keys that are not in memory")
struct ColdTimerTests {
    private static let keyCount = 20_000

    /// State with a timer per key, all of them in the database alone.
    private static func make(_ durable: DurableWorld) throws -> StateHarness {
        let slots = [SlotDescription(name: "count", kind: .counter)]
        func tier(_ isRestored: Bool, _ totals: StateTotals) -> StateTier {
            durable.tier(groupCount: 16, isRestored: isRestored, totals)
        }
        let harness = StateHarness(
            slots: slots,
            timers: [.event],
            groupCount: 16,
            timerCapacity: 1024,
            tier: tier(false, StateTotals())
        )
        for start in stride(from: 0, to: keyCount, by: 1_000) {
            let keys = (start..<start + 1_000).map { Array("key-\($0)".utf8) }
            harness.begin(keys)
            for record in 0..<1_000 {
                let code = harness.timerFunctions.set(
                    harness.context,
                    0,
                    0,
                    UInt32(record),
                    Int64(start + record),
                    nil,
                    0
                )
                try #require(code == APUS_OK)
            }
            harness.end()
        }
        let number = durable.nextCheckpoint()
        harness.state.beginSnapshot(number)
        while harness.state.isSnapshotting {
            harness.state.continueSnapshot(untilNanoseconds: .max, clock: LinuxClock())
        }
        let totals = harness.state.totals
        try durable.writer.takeCheckpoint(number, to: durable.directory(number))
        try durable.restore(durable.directory(number))
        harness.replaceState(
            KeyedState(
                slots: slots,
                timers: [.event],
                groups: harness.state.groups,
                tier: tier(true, totals)
            )
        )
        return harness
    }

    @Test("a few thousand keys are in memory at a time, and places are used again")
    func fewAtATime() throws {
        let durable = try DurableWorld(budgetByteCount: 1 << 20)
        let harness = try Self.make(durable)
        let state = harness.state
        var fired = 0
        var most = 0
        while state.takeDue(.event, upTo: .max - 1, into: harness.timers) {
            for (index, record) in harness.timers.records.records.enumerated() {
                try #require(record.time == Int64(fired + index))
            }
            fired += harness.timers.count
            most = max(most, state.eventTimers.count)
            harness.beginTimers()
            harness.end()
            state.maintain(untilNanoseconds: .max, clock: LinuxClock())
        }
        #expect(fired == Self.keyCount && state.timerCount(.event) == 0)
        // One load, and what the call before left.
        #expect(most <= 4096 + 1024)
        let rowsByteCount = state.table.rowNumberEnd * state.layout.rowByteCount
        #expect(rowsByteCount < 2 << 20, "\(state.table.rowNumberEnd) places for rows")
    }
}
