import ApusTestSupport
import Testing

@testable import ApusState

/// The same random callbacks as against state in memory, with snapshots, checkpoints, evictions
/// and restarts between them.
@Suite("Keyed state in two tiers against a model")
struct TwoTierModelTests {
    @Test("holds what the model holds when all fits", arguments: 1...6 as ClosedRange<UInt64>)
    func holdsWhatTheModelHoldsWhenAllFits(seed: UInt64) throws {
        let durable = try DurableWorld(budgetByteCount: 1 << 30)
        try StateRun(seed: seed, groupCount: 16, keyCount: 120, durable: durable)
            .run(stepCount: 300)
    }

    @Test("holds what the model holds when a part fits", arguments: 1...6 as ClosedRange<UInt64>)
    func holdsWhatTheModelHoldsWhenAPartFits(seed: UInt64) throws {
        let durable = try DurableWorld(budgetByteCount: 200 << 10)
        try StateRun(seed: 100 + seed, groupCount: 16, keyCount: 800, durable: durable)
            .run(stepCount: 300)
    }

    @Test("holds what the model holds when nothing fits", arguments: 1...6 as ClosedRange<UInt64>)
    func holdsWhatTheModelHoldsWhenNothingFits(seed: UInt64) throws {
        let durable = try DurableWorld(budgetByteCount: 1)
        try StateRun(seed: 200 + seed, groupCount: 3, keyCount: 120, durable: durable)
            .run(stepCount: 200)
    }

    @Test(
        "holds what the model holds when operator state has used the budget up",
        arguments: 1...3 as ClosedRange<UInt64>
    )
    func holdsWhatTheModelHoldsBesideOperatorState(seed: UInt64) throws {
        let durable = try DurableWorld(budgetByteCount: 200 << 10)
        let lists = OperatorStateLists(names: ["items"], budget: durable.budget)
        lists.restore([Array(repeating: Array(repeating: 7, count: 1000), count: 400)])
        #expect(durable.budget.usedByteCount > durable.budget.byteCount)
        try StateRun(seed: 300 + seed, groupCount: 16, keyCount: 800, durable: durable)
            .run(stepCount: 300)
        #expect(lists.count(0) == 400)
    }
}
