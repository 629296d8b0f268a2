import ApusTestSupport
import Testing

@testable import ApusState

/// State of values and counters, which is spilled before it goes to the database, with snapshots,
/// checkpoints and restarts between random callbacks.
@Suite("Spilled state against a model")
struct SpillModelTests {
    @Test("holds what the model holds when the index fits", arguments: 1...6 as ClosedRange<UInt64>)
    func holdsWhatTheModelHoldsWhenTheIndexFits(seed: UInt64) throws {
        let durable = try DurableWorld(budgetByteCount: 900 << 10)
        let run = StateRun(
            seed: seed,
            groupCount: 16,
            keyCount: 2_000,
            durable: durable,
            declarations: .values
        )
        try run.run(stepCount: 500)
        #expect(run.spilledMost > 20, "seed \(seed) spills")
    }

    @Test("holds what the model holds when nothing fits", arguments: 1...6 as ClosedRange<UInt64>)
    func holdsWhatTheModelHoldsWhenNothingFits(seed: UInt64) throws {
        let durable = try DurableWorld(budgetByteCount: 1)
        let run = StateRun(
            seed: 100 + seed,
            groupCount: 3,
            keyCount: 200,
            durable: durable,
            declarations: .values
        )
        try run.run(stepCount: 300)
        #expect(run.spilledMost > 0, "seed \(seed) spills")
    }

    @Test("tells keys apart whose hashes are equal", arguments: 1...3 as ClosedRange<UInt64>)
    func tellsKeysApartWhoseHashesAreEqual(seed: UInt64) throws {
        let durable = try DurableWorld(budgetByteCount: 1)
        try StateRun(
            seed: 200 + seed,
            groupCount: 3,
            keyCount: 60,
            durable: durable,
            declarations: .values,
            hash: { 7 + UInt64($0.count % 3) }
        ).run(stepCount: 200)
    }
}
