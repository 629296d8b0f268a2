import ApusTestSupport
import Synchronization
import Testing

@testable import ApusMemory

/// No ring is lost, whichever of the two threads is first.
@Suite("Doorbell", .timeLimit(.minutes(5)))
struct DoorbellTests {
    private static let longSleep: Int64 = 5_000_000_000

    /// What two threads of these tests share.
    private final class Shared: Sendable {
        let bells = [Doorbell(), Doorbell()]
        let turn: Atomic<Int> = Atomic(0)
        let lostCount = Counter()
    }

    @Test("does not sleep when there is work")
    func doesNotSleepWhenThereIsWork() {
        let bell = Doorbell()
        var questions = 0
        bell.sleep(nanoseconds: Self.longSleep) {
            questions += 1
            return true
        }
        #expect(questions == 1)
    }

    @Test("sleeps no longer than it was told")
    func sleepsNoLongerThanItWasTold() {
        let bell = Doorbell()
        let clock = ContinuousClock()
        let duration = clock.measure { bell.sleep(nanoseconds: 5_000_000) { false } }
        #expect(duration < .seconds(5))
        bell.ring()
    }

    @Test("wakes its owner each time in a game of ping-pong")
    func wakesItsOwnerEachTime() {
        let shared = Shared()
        let turnCount = 20_000
        let other = TestThread { Self.play(1, shared, turnCount) }
        Self.play(0, shared, turnCount)
        other.join()
        #expect(shared.lostCount.value == 0)
        #expect(shared.turn.load(ordering: .acquiring) >= turnCount)
    }

    private static func play(_ player: Int, _ shared: Shared, _ turnCount: Int) {
        while true {
            let turn = shared.turn.load(ordering: .acquiring)
            if turn >= turnCount { return }
            if turn % 2 == player {
                shared.turn.store(turn + 1, ordering: .releasing)
                shared.bells[1 - player].ring()
                continue
            }
            let start = ContinuousClock.now
            shared.bells[player].sleep(nanoseconds: longSleep) {
                let turn = shared.turn.load(ordering: .acquiring)
                return turn >= turnCount || turn % 2 == player
            }
            guard ContinuousClock.now - start < .seconds(4) else {
                shared.lostCount.add()
                shared.turn.store(turnCount, ordering: .releasing)
                return
            }
        }
    }
}
