import ApusCore
import ApusTestSupport
import CApusShims
import Testing

@testable import ApusMemory

/// Hashes are XXH3-64 for ever: they decide which key group a key is in.
@Suite("KeyHash")
struct KeyHashTests {
    /// The buffer of xxHash's own tests (`XSUM_fillTestBuffer`).
    static func testBuffer(_ count: Int) -> [UInt8] {
        var state: UInt64 = 2_654_435_761
        return (0..<count).map { _ in
            defer { state = state &* 11_400_714_785_074_694_797 }
            return UInt8(state >> 56)
        }
    }

    @Test(
        "are those of xxHash's own tests",
        arguments: [
            (0, 0x2d06_8005_38d3_94c2), (1, 0xc44b_dff4_074e_ecdb), (6, 0x27b5_6a84_cd2d_7325),
            (12, 0xa713_daf0_dfbb_77e7), (24, 0xa3fe_70bf_9d35_10eb),
            (48, 0x397d_a259_ecba_1f11), (80, 0xbcde_fbbb_2c47_c90a),
            (195, 0xcd94_217e_e362_ec3a), (403, 0xcdeb_804d_65c6_dea4),
            (512, 0x617e_4959_9013_cb6b), (2048, 0xdd59_e2c3_a5f0_38e0),
        ] as [(Int, UInt64)]
    )
    func areThoseOfTheReference(count: Int, hash: UInt64) {
        #expect(Self.testBuffer(count).withUnsafeBytes { KeyHash.of($0) } == hash)
    }

    @Test("are the same on the way for 8 bytes as on the general one")
    func areTheSameOnBothWays() {
        var generator = SplitMix64(seed: 9)
        for _ in 0..<1_000 {
            let bytes = generator.bytes(8)
            #expect(apus_xxh3_8(bytes) == apus_xxh3(bytes, 8))
        }
    }

    @Test(
        "of a batch are those of its keys, and 0 where there is none",
        arguments: 1...5 as ClosedRange<UInt64>
    )
    func ofABatchAreThoseOfItsKeys(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        let batch = RecordBatch(recordCapacity: 300, arenaCapacity: 16)
        let records = RecordBatchTests.random(300, using: &generator)
        RecordBatchTests.fill(batch, with: records)
        memset(batch.hashes, 0xff, 8 * 300)
        KeyHash.fill(batch)
        for (index, record) in records.enumerated() {
            let hash = record.key.map { $0.withUnsafeBytes { KeyHash.of($0) } } ?? 0
            #expect(batch.hashes[index] == hash, "seed \(seed), record \(index)")
        }
        // The same keys, but most of their bytes in somebody else's arena.
        let borrower = RecordBatch(recordCapacity: 300, arenaCapacity: 16)
        borrower.borrow(batch)
        KeyHash.fill(borrower)
        #expect((0..<300).allSatisfy { borrower.hashes[$0] == batch.hashes[$0] })
        KeyHash.clear(batch)
        #expect((0..<300).allSatisfy { batch.hashes[$0] == 0 })
    }
}
