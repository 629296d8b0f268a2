import Testing

@testable import ApusCore

/// Generated data depends on these numbers: they are those of the reference implementation.
@Suite("SplitMix64")
struct SplitMix64Tests {
    @Test("gives the numbers of the reference implementation")
    func givesTheNumbersOfTheReferenceImplementation() {
        var generator = SplitMix64(seed: 0)
        let numbers = (0..<5).map { _ in generator.next() }
        #expect(
            numbers == [
                0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4, 0x06c4_5d18_8009_454f,
                0xf88b_b8a8_724c_81ec, 0x1b39_896a_51a8_749b,
            ]
        )
    }

    @Test("is the finaliser of seed plus n times gamma")
    func isTheFinaliserOfSeedPlusMultiplesOfGamma() {
        var generator = SplitMix64(seed: 42)
        for number in 1...UInt64(100) {
            #expect(generator.next() == SplitMix64.mix(42 &+ number &* SplitMix64.gamma))
        }
    }
}
