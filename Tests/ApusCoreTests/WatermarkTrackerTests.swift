import Testing

@testable import ApusCore

/// The tracker follows its rules case by case, and agrees with a model that starts anew from the
/// channels' history at each step.
@Suite("WatermarkTracker")
struct WatermarkTrackerTests {
    @Test("says nothing before every channel has")
    func saysNothingBeforeEveryChannelHas() {
        var tracker = WatermarkTracker(channelCount: 3)
        #expect(tracker.current == .min)
        #expect(tracker.advance(0, to: 10) == .none)
        #expect(tracker.advance(2, to: 30) == .none)
        #expect(tracker.current == .min)
        #expect(tracker.advance(1, to: 20) == .advanced(to: 10))
        #expect(tracker.current == 10)
    }

    @Test("takes the least of the channels, and never goes back")
    func takesTheLeastAndNeverGoesBack() {
        var tracker = WatermarkTracker(channelCount: 2)
        _ = tracker.advance(0, to: 10)
        #expect(tracker.advance(1, to: 5) == .advanced(to: 5))
        #expect(tracker.advance(1, to: 3) == .none)
        #expect(tracker.advance(1, to: 5) == .none)
        #expect(tracker.advance(1, to: 50) == .advanced(to: 10))
        #expect(tracker.current == 10)
    }

    @Test("leaves idle channels out, and is idle when all are")
    func leavesIdleChannelsOut() {
        var tracker = WatermarkTracker(channelCount: 2)
        _ = tracker.advance(0, to: 10)
        #expect(tracker.setIdle(1) == .advanced(to: 10))
        #expect(tracker.setIdle(1) == .none)
        #expect(tracker.setIdle(0) == .idle)
        #expect(tracker.setIdle(0) == .none, "idle is said once")
        #expect(tracker.current == 10)
    }

    @Test("does not go back when an idle channel returns with an older watermark")
    func doesNotGoBackWhenAnIdleChannelReturns() {
        var tracker = WatermarkTracker(channelCount: 2)
        _ = tracker.setIdle(1)
        #expect(tracker.advance(0, to: 100) == .advanced(to: 100))
        #expect(tracker.advance(1, to: 40) == .none)
        #expect(tracker.current == 100)
        #expect(tracker.advance(0, to: 200) == .none, "channel 1 holds it back again")
        #expect(tracker.advance(1, to: 150) == .advanced(to: 150))
    }

    @Test("holds time back from the first record of a channel that was idle")
    func holdsTimeBackFromTheFirstRecord() {
        var tracker = WatermarkTracker(channelCount: 2)
        _ = tracker.advance(1, to: 20)
        _ = tracker.setIdle(1)
        _ = tracker.advance(0, to: 30)
        tracker.wake(1)
        #expect(tracker.advance(0, to: 40) == .none)
        #expect(tracker.advance(1, to: 35) == .advanced(to: 35))
    }

    @Test("is idle anew after a record has woken it")
    func isIdleAnewAfterARecord() {
        var tracker = WatermarkTracker(channelCount: 2)
        _ = tracker.setIdle(0)
        #expect(tracker.setIdle(1) == .idle)
        tracker.wake(0)
        #expect(tracker.setIdle(0) == .idle)
        #expect(tracker.advance(1, to: 5) == .advanced(to: 5))
        #expect(tracker.setIdle(1) == .idle)
    }

    @Test("leaves ended channels out, and has ended when all have")
    func leavesEndedChannelsOut() {
        var tracker = WatermarkTracker(channelCount: 3)
        _ = tracker.advance(0, to: 10)
        _ = tracker.advance(1, to: 20)
        #expect(tracker.end(2) == .advanced(to: 10))
        #expect(tracker.end(0) == .advanced(to: 20))
        #expect(tracker.advance(0, to: 500) == .none, "it has ended")
        #expect(tracker.end(0) == .none, "ending twice")
        #expect(tracker.end(1) == .ended)
        #expect(tracker.end(1) == .none)
        #expect(tracker.current == 20)
    }

    @Test("is idle when what is left after an end is")
    func isIdleWhenWhatIsLeftIs() {
        var tracker = WatermarkTracker(channelCount: 2)
        _ = tracker.setIdle(0)
        #expect(tracker.end(1) == .idle)
        #expect(tracker.end(0) == .ended, "an end is told also by a reader that is idle")
    }

    @Test("stays where it is when one input has come to its end and the others are idle")
    func staysWithIdleOnes() {
        var tracker = WatermarkTracker(channelCount: 2)
        _ = tracker.advance(0, to: 5)
        _ = tracker.advance(1, to: 7)
        _ = tracker.setIdle(0)
        #expect(tracker.advance(1, to: .max) == .idle)
        #expect(tracker.current == 7)
        #expect(tracker.end(1) == .none)
        #expect(tracker.advance(0, to: 9) == .advanced(to: 9))
    }

    @Test("reaches the end of time")
    func reachesTheEndOfTime() {
        var tracker = WatermarkTracker(channelCount: 1)
        #expect(tracker.advance(0, to: .min) == .none)
        #expect(tracker.advance(0, to: .max) == .advanced(to: .max))
        #expect(tracker.advance(0, to: .max) == .none)
    }

    @Test("agrees with a model over random messages", arguments: 1...40 as ClosedRange<UInt64>)
    func agreesWithAModel(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        let channelCount = Int.random(in: 1...5, using: &generator)
        var tracker = WatermarkTracker(channelCount: channelCount)
        var model = Model(channelCount: channelCount)
        var current = Int64.min
        for step in 0..<400 {
            let channel = Int.random(in: 0..<channelCount, using: &generator)
            let found: WatermarkTracker.Change
            let expected: WatermarkTracker.Change
            switch Int.random(in: 0..<40, using: &generator) {
            case 0:
                found = tracker.end(channel)
                expected = model.take(.end, of: channel)
            case 1...12:
                found = tracker.setIdle(channel)
                expected = model.take(.idle, of: channel)
            case 13...18 where !model.hasEnded(channel):
                tracker.wake(channel)
                found = .none
                expected = model.take(.record, of: channel)
            default:
                let time = Int64(step) + Int64.random(in: -20...20, using: &generator)
                found = tracker.advance(channel, to: time)
                expected = model.take(.watermark(time), of: channel)
            }
            guard found == expected, tracker.current >= current else {
                Issue.record("seed \(seed), step \(step): \(found), not \(expected)")
                return
            }
            current = tracker.current
        }
    }

    /// All messages of all channels, from which everything is computed each time.
    struct Model {
        enum Message {
            case watermark(Int64)
            case record
            case idle
            case end
        }

        var histories: [[Message]]
        var toldTime = Int64.min
        var hasToldIdle = false

        init(channelCount: Int) {
            histories = Array(repeating: [], count: channelCount)
        }

        func hasEnded(_ channel: Int) -> Bool {
            if case .end = histories[channel].last { true } else { false }
        }

        mutating func take(_ message: Message, of channel: Int) -> WatermarkTracker.Change {
            if hasEnded(channel) {
                // Only "idle" is not ignored as a whole, and changes nothing either.
                return .none
            }
            histories[channel].append(message)
            let open = histories.indices.filter { !hasEnded($0) }
            if open.isEmpty { return .ended }
            let active = open.filter { !isIdle($0) }
            if case .record = message {
                hasToldIdle = false
                return .none
            }
            guard let least = active.map(time).min() else {
                defer { hasToldIdle = true }
                return hasToldIdle ? .none : .idle
            }
            hasToldIdle = false
            guard least > toldTime else { return .none }
            toldTime = least
            return .advanced(to: least)
        }

        private func isIdle(_ channel: Int) -> Bool {
            if case .idle = histories[channel].last { true } else { false }
        }

        private func time(_ channel: Int) -> Int64 {
            histories[channel].reduce(.min) { latest, message in
                if case .watermark(let time) = message { max(latest, time) } else { latest }
            }
        }
    }
}
