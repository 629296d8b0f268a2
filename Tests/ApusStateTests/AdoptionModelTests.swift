import ApusTestSupport
import Testing

@testable import ApusState

/// The same random callbacks as against state of one version, with other versions that take over
/// between them, sweeps, snapshots, evictions and restarts in whatever order.
@Suite("Keyed state of several versions against a model")
struct AdoptionModelTests {
    @Test("in memory, several seeds", arguments: 1...6 as ClosedRange<UInt64>)
    func inMemory(seed: UInt64) throws {
        let run = StateRun(seed: 500 + seed, groupCount: 16, keyCount: 200, swaps: true)
        try run.run(stepCount: 300)
        #expect(run.swapCount > 0 && run.adoptedCount + run.state.adoptedCount > 0)
    }

    @Test("with timers in one domain alone", arguments: [true, false], [561, 562] as [UInt64])
    func withTimersInOneDomain(isDurable: Bool, seed: UInt64) throws {
        let durable = isDurable ? try DurableWorld(budgetByteCount: 200 << 10) : nil
        try StateRun(
            seed: seed,
            groupCount: 16,
            keyCount: 200,
            durable: durable,
            declarations: .eventTimers,
            swaps: true
        ).run(stepCount: 200)
    }

    @Test("in two tiers when all fits", arguments: 1...6 as ClosedRange<UInt64>)
    func inTwoTiers(seed: UInt64) throws {
        let durable = try DurableWorld(budgetByteCount: 1 << 30)
        let run = StateRun(
            seed: 600 + seed,
            groupCount: 16,
            keyCount: 200,
            durable: durable,
            swaps: true
        )
        try run.run(stepCount: 300)
        #expect(run.swapCount > 0 && run.adoptedCount + run.state.adoptedCount > 0)
    }

    @Test("in two tiers when a part fits", arguments: 1...6 as ClosedRange<UInt64>)
    func inTwoTiersWhenAPartFits(seed: UInt64) throws {
        let durable = try DurableWorld(budgetByteCount: 200 << 10)
        try StateRun(
            seed: 700 + seed,
            groupCount: 16,
            keyCount: 800,
            durable: durable,
            swaps: true
        ).run(stepCount: 250)
    }

    @Test("in two tiers when nothing fits", arguments: 1...4 as ClosedRange<UInt64>)
    func inTwoTiersWhenNothingFits(seed: UInt64) throws {
        let durable = try DurableWorld(budgetByteCount: 1)
        try StateRun(
            seed: 800 + seed,
            groupCount: 3,
            keyCount: 120,
            durable: durable,
            swaps: true
        ).run(stepCount: 200)
    }

    @Test("with rows in the spill log", arguments: 1...6 as ClosedRange<UInt64>)
    func withSpilledRows(seed: UInt64) throws {
        let durable = try DurableWorld(budgetByteCount: 200 << 10)
        try StateRun(
            seed: 900 + seed,
            groupCount: 16,
            keyCount: 800,
            durable: durable,
            declarations: .values,
            swaps: true
        ).run(stepCount: 250)
    }

    /// Keys that a newer version has moved leave an empty row, until the database has forgotten
    /// them; what that version has of them must be found all the same.
    @Test(
        "that come back",
        arguments: [nil, 1 << 30, 200 << 10, 1] as [Int?],
        1...4 as ClosedRange<UInt64>
    )
    func thatComeBack(budgetByteCount: Int?, seed: UInt64) throws {
        let durable = try budgetByteCount.map { try DurableWorld(budgetByteCount: $0) }
        let run = StateRun(
            seed: 1_000 + seed,
            groupCount: 16,
            keyCount: 200,
            durable: durable,
            swaps: true,
            goesBack: true
        )
        try run.run(stepCount: 400)
        #expect(run.backCount > 0 && run.adoptedCount > 0)
    }

    @Test("that come back, with rows in the spill log", arguments: 1...4 as ClosedRange<UInt64>)
    func thatComeBackSpilled(seed: UInt64) throws {
        let run = StateRun(
            seed: 1_100 + seed,
            groupCount: 16,
            keyCount: 800,
            durable: try DurableWorld(budgetByteCount: 200 << 10),
            declarations: .values,
            swaps: true,
            goesBack: true
        )
        try run.run(stepCount: 300)
        #expect(run.backCount > 0 && run.adoptedCount > 0)
    }
}
