import CApusPlugin
import Testing

@testable import ApusState

/// Goal: what cannot leave memory takes its part of the budget from what can, but not all of it.
@Suite("The memory budget")
struct MemoryBudgetTests {
    @Test("rows keep a sixteenth beside what cannot leave memory")
    func rowsKeepAPart() {
        let budget = MemoryBudget(byteCount: 1600)
        budget.add(300)
        budget.addResident(500)
        #expect(budget.usedByteCount == 800 && budget.rowByteCount == 800)
        #expect(budget.rowByteCountMax == 1400)
        budget.addResident(2500)
        #expect(budget.rowByteCountMax == 3100)
        budget.addResident(-3000)
        #expect(budget.rowByteCountMax == 1400 && budget.usedByteCount == 300)
    }

    @Test("the index of what was spilled gives way, and keeps a sixteenth, too")
    func indexGivesWay() {
        let budget = MemoryBudget(byteCount: 1600)
        budget.reserveForSpill()
        budget.addSpillIndex(800)
        #expect(budget.rowByteCountMax == 600 && !budget.isSpillIndexTooLarge)
        budget.addResident(1000)
        #expect(budget.rowByteCountMax == 1100 && budget.isSpillIndexTooLarge)
        budget.addSpillIndex(-500)
        #expect(!budget.isSpillIndexTooLarge)
        budget.addResident(5000)
        budget.addSpillIndex(-200)
        #expect(!budget.isSpillIndexTooLarge)
        budget.addSpillIndex(1)
        #expect(budget.isSpillIndexTooLarge)
    }

    @Test("what is on its way has an eighth of its own")
    func inFlight() {
        let budget = MemoryBudget(byteCount: 1600)
        budget.addInFlight(200)
        #expect(budget.usedByteCount == 200 && budget.rowByteCount == 0)
        #expect(!budget.isInFlightTooLarge)
        budget.addInFlight(1)
        #expect(budget.isInFlightTooLarge)
        budget.addInFlight(-201)
        #expect(budget.usedByteCount == 0 && budget.peakByteCount == 201)
    }

    @Test("a share reports in steps, and is given back")
    func share() {
        let budget = MemoryBudget(byteCount: 1 << 20)
        do {
            var share = BudgetShare(of: budget)
            share.report(4095)
            #expect(budget.usedByteCount == 0)
            share.report(4096)
            #expect(budget.usedByteCount == 4096)
            share.report(1)
            #expect(budget.usedByteCount == 4096)
            share.report(0)
            #expect(budget.usedByteCount == 0)
            share.report(100_000)
            #expect(budget.usedByteCount == 100_000)
        }
        #expect(budget.usedByteCount == 0)
    }

    @Test("broadcast state counts as long as it is there")
    func broadcastState() {
        let budget = MemoryBudget(byteCount: 1 << 20)
        do {
            let state = BroadcastState(names: ["rules"], budget: budget)
            func put(_ count: Int, _ value: [UInt8]) {
                state.restore([
                    (0..<count).map { number in
                        let key = withUnsafeBytes(of: number.bigEndian) { Array($0) }
                        return BroadcastEntry(key: key, value: value)
                    }
                ])
            }
            put(1000, Array(repeating: 1, count: 100))
            let large = budget.usedByteCount
            #expect(large > 108_000 && large < 200_000)
            put(1000, [])
            #expect(budget.usedByteCount < large / 2)
            put(2000, Array(repeating: 1, count: 100))
            #expect(budget.usedByteCount > 2 * 108_000)
            state.clear(0)
            #expect(budget.usedByteCount < BudgetShare.stepByteCount)
            put(1000, [1])
            #expect(budget.usedByteCount > BudgetShare.stepByteCount)
        }
        #expect(budget.usedByteCount == 0)
    }
}
