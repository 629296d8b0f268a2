import ApusBench
import Testing

@Suite("Tally of timers")
struct TimerTallyTests {
    private func tally(_ fired: [(number: UInt64, time: Int64)], of count: Int) -> TimerTally {
        var tally = TimerTally(armedCount: count)
        for (number, time) in fired { tally.add(number, time: time) }
        return tally
    }

    @Test("all timers once, in their order")
    func exact() {
        let sum = tally((0..<130).map { ($0, Int64($0 / 2)) }, of: 130)
        #expect(sum.firedCount == 130)
        #expect(sum.lostCount == 0)
        #expect(sum.doubledCount == 0)
        #expect(sum.strangerCount == 0)
        #expect(sum.disorderCount == 0)
    }

    @Test("one that is lost and one that fires twice do not make up for each other")
    func lostAndDoubled() {
        let sum = tally([(0, 0), (1, 1), (1, 1)], of: 3)
        #expect(sum.firedCount == 3)
        #expect(sum.lostCount == 1)
        #expect(sum.doubledCount == 1)
    }

    @Test("what was never armed is told apart")
    func stranger() {
        let sum = tally([(0, 0), (64, 1), (.max, 2)], of: 64)
        #expect(sum.strangerCount == 2)
        #expect(sum.lostCount == 63)
    }

    @Test("an earlier timer behind a later one is out of order")
    func disorder() {
        #expect(tally([(0, 5), (1, 4), (2, 4), (3, 6)], of: 4).disorderCount == 1)
    }

    @Test("a timer that fires on two subtasks is doubled; their orders are their own")
    func sum() {
        var left = tally([(0, 7), (1, 8)], of: 4)
        left.add(tally([(1, 1), (3, 2)], of: 4))
        #expect(left.firedCount == 4)
        #expect(left.lostCount == 1)
        #expect(left.doubledCount == 1)
        #expect(left.disorderCount == 0)
    }
}
