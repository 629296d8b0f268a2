import ApusState
import Testing

@testable import ApusRuntime

/// Goal: a busy task thread leaves time to the background when that is late, and only then.
@Suite("What task threads leave to the background")
struct BackgroundShareTests {
    private static let millisecond: Int64 = 1_000_000

    /// What a thread that is busy for all of `times` sleeps at each of them.
    private func sleeps(_ share: inout BackgroundShare, at times: [Int64]) -> [Int64] {
        times.map { share.due(now: $0 * Self.millisecond) }
    }

    @Test("nothing while there is no work in the background")
    func nothingToLeave() {
        var share = BackgroundShare(BackgroundLoad(), now: 0)
        #expect(sleeps(&share, at: [2, 600, 3_000, 9_000]) == [0, 0, 0, 0])
    }

    @Test("the later it is, the more")
    func more() {
        let load = BackgroundLoad()
        load.noteCompaction(isBehind: true)
        var share = BackgroundShare(load, now: 0)
        let turn = Self.millisecond
        #expect(sleeps(&share, at: [2, 400]) == [0, 0])
        // Turns of one millisecond: 15 of 100, then half.
        #expect(share.due(now: 502 * turn) == 2 * turn * 15 / 85)
        #expect(sleeps(&share, at: [503, 2_002]) == [0, 2 * turn])
        load.noteCompaction(isBehind: false)
        #expect(sleeps(&share, at: [2_010]) == [0])
        load.noteCompaction(isBehind: true)
        #expect(sleeps(&share, at: [2_020, 2_100]) == [0, 0])
    }

    @Test("a thread that has slept leaves nothing on purpose")
    func slept() {
        let load = BackgroundLoad()
        var share = BackgroundShare(load, now: 0)
        load.during {
            _ = share.due(now: 2 * Self.millisecond)
            for time: Int64 in [3_000, 3_001, 3_002] {
                share.noteSleep(now: time * Self.millisecond - 100)
                #expect(share.due(now: time * Self.millisecond) == 0)
            }
        }
        #expect(!load.isBusy)
    }
}
