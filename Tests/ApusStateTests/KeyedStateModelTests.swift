import ApusTestSupport
import Testing

@testable import ApusState

/// Thousands of random callbacks, with everything that a plugin can do in them, against a model
/// in dictionaries.
@Suite("KeyedState against a model")
struct KeyedStateModelTests {
    @Test(
        "holds what the model holds, key by key and slot by slot",
        arguments: [1, 2, 1024],
        1...4 as ClosedRange<UInt64>
    )
    func holdsWhatTheModelHolds(groupCount: Int, seed: UInt64) throws {
        try StateRun(seed: seed, groupCount: groupCount, keyCount: 120).run(stepCount: 300)
    }

    @Test("holds what the model holds when most keys are rare", arguments: [11, 12] as [UInt64])
    func holdsWhatTheModelHoldsWhenKeysAreRare(seed: UInt64) throws {
        try StateRun(seed: seed, groupCount: 16, keyCount: 1_800).run(stepCount: 300)
    }

    @Test(
        "holds what the model holds when few keys do everything",
        arguments: [21, 22] as [UInt64]
    )
    func holdsWhatTheModelHoldsWhenKeysAreFew(seed: UInt64) throws {
        try StateRun(seed: seed, groupCount: 1, keyCount: 5, timerCapacity: 2).run(stepCount: 700)
    }

    @Test(
        "does not depend on good hashes",
        arguments: [
            0x7, 0xffff_ffff_0000_0000, 0x0000_0001_0000_ff00, 0xf000_0000_0000_0000,
        ] as [UInt64]
    )
    func doesNotDependOnGoodHashes(mask: UInt64) throws {
        // Whole hashes are equal, or tags, or places: the key decides.
        let run = StateRun(seed: 31, groupCount: 2, keyCount: 60) {
            StateHarness.realHash($0) & mask | 1
        }
        try run.run(stepCount: 300)
    }
}
