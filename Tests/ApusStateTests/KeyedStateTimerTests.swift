import ApusCore
import ApusMemory
import ApusTestSupport
import CApusPlugin
import Testing

@testable import ApusState

/// Timers fire in order, once, with what the callbacks before them have changed.
@Suite("KeyedState's timers")
struct KeyedStateTimerTests {
    static func make(timerCapacity: Int = 16) -> StateHarness {
        StateHarness(
            slots: [SlotDescription(name: "count", kind: .counter)],
            timers: [.event, .processing, .event],
            groupCount: 4,
            timerCapacity: timerCapacity
        )
    }

    /// Sets timers of several keys in a callback of its own.
    static func set(
        _ harness: StateHarness,
        _ timers: [(key: [UInt8], name: UInt32, id: UInt64, time: Int64)]
    ) {
        harness.begin(timers.map(\.key))
        for (record, timer) in timers.enumerated() {
            let payload = "\(timer.time)"
            let code = harness.timerFunctions.set(
                harness.context,
                timer.name,
                timer.id,
                UInt32(record),
                timer.time,
                payload,
                UInt64(payload.utf8.count)
            )
            #expect(code == APUS_OK)
        }
        harness.end()
    }

    /// What is due, batch by batch, as "key:name:id@time"; nothing is done in the callbacks.
    static func fire(
        _ harness: StateHarness,
        upTo time: Int64,
        _ domain: KeyedState.TimerDomain = .event
    ) -> [[String]] {
        var batches: [[String]] = []
        while harness.state.takeDue(domain, upTo: time, into: harness.timers) {
            batches.append(describe(harness.timers))
            harness.beginTimers()
            harness.end()
        }
        return batches
    }

    static func describe(_ timers: TimerBatch) -> [String] {
        timers.records.records.enumerated().map { index, record in
            let key = record.key?.first.map(String.init) ?? "-"
            #expect(record.value == Array("\(record.time)".utf8), "the payload")
            return "\(key):\(timers.names[index]):\(timers.ids[index])@\(record.time)"
        }
    }

    @Test("fire in the order of time, name and id, at most one per key at once")
    func fireInOrder() {
        let harness = Self.make()
        Self.set(
            harness,
            [
                ([3], 2, 0, 5), ([1], 0, 9, 5), ([2], 0, 1, 5), ([4], 0, 0, 6), ([1], 0, 0, 7),
                ([5], 0, 0, 7), ([6], 0, 0, 100),
            ]
        )
        #expect(harness.state.nextTimerTime(.event) == 5)
        // Timers of one rank come in any order; here key 1 is second to none but itself.
        let batches = Self.fire(harness, upTo: 99)
        #expect(batches.flatMap { $0 }.prefix(4) == ["2:0:1@5", "1:0:9@5", "3:2:0@5", "4:0:0@6"])
        #expect(Set(batches.flatMap { $0 }.suffix(2)) == ["1:0:0@7", "5:0:0@7"])
        #expect(batches.count == 2)
        #expect(harness.state.timerCount(.event) == 1)
        #expect(harness.state.keyCount == 1)
        #expect(harness.state.nextTimerTime(.event) == 100)
    }

    @Test("fire at their very time, and not before")
    func fireAtTheirVeryTime() {
        let harness = Self.make()
        Self.set(harness, [([1], 0, 0, 10), ([2], 0, 0, .max), ([3], 0, 0, .min)])
        #expect(Self.fire(harness, upTo: 9) == [["3:0:0@\(Int64.min)"]])
        #expect(Self.fire(harness, upTo: 10) == [["1:0:0@10"]])
        #expect(Self.fire(harness, upTo: .max - 1) == [])
        #expect(Self.fire(harness, upTo: .max) == [["2:0:0@\(Int64.max)"]])
        #expect(harness.state.nextTimerTime(.event) == .max)
        #expect(harness.state.keyCount == 0)
    }

    @Test("of the two domains do not meet")
    func ofTheTwoDomainsDoNotMeet() {
        let harness = Self.make()
        Self.set(harness, [([1], 0, 7, 10), ([1], 1, 7, 5), ([1], 2, 7, 20)])
        #expect(harness.state.timerCount(.event) == 2)
        #expect(harness.state.timerCount(.processing) == 1)
        #expect(Self.fire(harness, upTo: 100, .processing) == [["1:1:7@5"]])
        #expect(harness.state.keyCount == 1)
        #expect(Self.fire(harness, upTo: 100) == [["1:0:7@10"], ["1:2:7@20"]])
        #expect(harness.state.keyCount == 0)
        #expect(harness.state.pool.usedByteCount == 0)
    }

    @Test("are replaced, not doubled, when set again")
    func areReplaced() {
        let harness = Self.make()
        Self.set(harness, [([1], 0, 0, 50), ([1], 0, 1, 50), ([1], 0, 0, 70), ([1], 0, 0, 20)])
        #expect(harness.state.timerCount(.event) == 2)
        #expect(Self.fire(harness, upTo: 100) == [["1:0:0@20"], ["1:0:1@50"]])
        #expect(harness.state.pool.usedByteCount == 0)
    }

    @Test("come in batches of the capacity, all of them")
    func comeInBatches() {
        let harness = Self.make(timerCapacity: 4)
        Self.set(harness, (1...10).map { ([$0], 0, 0, Int64($0)) })
        let batches = Self.fire(harness, upTo: 100)
        #expect(batches.map(\.count) == [4, 4, 2])
        #expect(batches.flatMap { $0 } == (1...10).map { "\($0):0:0@\($0)" })
    }

    @Test("obey what the callback of the same key's timer before them did")
    func obeyTheCallbackBeforeThem() {
        let harness = Self.make()
        Self.set(harness, [([1], 0, 0, 10), ([1], 0, 1, 11), ([1], 0, 2, 12), ([1], 0, 3, 13)])
        #expect(harness.state.takeDue(.event, upTo: 20, into: harness.timers))
        #expect(Self.describe(harness.timers) == ["1:0:0@10"])
        harness.beginTimers()
        #expect(harness.timerFunctions.cancel(harness.context, 0, 0, 0) == APUS_NOT_FOUND, "fired")
        #expect(harness.timerFunctions.cancel(harness.context, 0, 1, 0) == APUS_OK)
        #expect(harness.timerFunctions.set(harness.context, 0, 2, 0, 30, "30", 2) == APUS_OK)
        #expect(harness.timerFunctions.set(harness.context, 0, 0, 0, 9, "9", 1) == APUS_OK)
        harness.end()
        #expect(Self.fire(harness, upTo: 20) == [["1:0:0@9"], ["1:0:3@13"]])
        #expect(Self.fire(harness, upTo: 30) == [["1:0:2@30"]])
    }

    @Test("keep working when a callback yields, though their keys hold nothing else")
    func keepWorkingWhenACallbackYields() {
        let long = KeyedStateTests.long
        let keys = (0..<6 as Range<UInt8>).map { $0 % 2 == 0 ? [$0] : [$0] + long }
        for yields in [[0], [1], [3], [0, 0, 0], [1, 2, 3, 4, 5], [5, 5]] {
            let harness = Self.make()
            Self.set(harness, keys.map { ($0, 0, 0, 10) })
            #expect(harness.state.takeDue(.event, upTo: 10, into: harness.timers))
            #expect(harness.timers.count == 6)
            let order = harness.timers.records.records.map(\.key)
            harness.beginTimers()
            for _ in yields {
                harness.end()
                harness.beginTimers()
            }
            // The callback goes on with its last records, as if nothing had been.
            for record in 4..<6 as Range<UInt32> {
                let code = harness.functions.counter_add(
                    harness.context,
                    0,
                    record,
                    Int64(record),
                    nil
                )
                #expect(code == APUS_OK)
                #expect(harness.timerFunctions.set(harness.context, 0, 1, record, 9, nil, 0) == 0)
            }
            harness.end()
            #expect(harness.state.keyCount == 2)
            harness.begin(order)
            for record in 0..<6 as Range<UInt32> {
                var sum: Int64 = -1
                let code = harness.functions.counter_get(harness.context, 0, record, &sum)
                #expect(code == (record < 4 ? APUS_NOT_FOUND : APUS_OK))
                #expect(sum == (record < 4 ? 0 : Int64(record)))
            }
            harness.end()
            #expect(harness.state.timerCount(.event) == 2)
        }
    }

    @Test("keep their key alive, and let it go with the last one")
    func keepTheirKeyAlive() {
        let harness = Self.make()
        let key = KeyedStateTests.long
        Self.set(harness, [(key, 0, 0, 10), (key, 1, 0, 10)])
        #expect(harness.state.keyCount == 1)
        harness.begin([key])
        #expect(harness.functions.counter_add(harness.context, 0, 0, 1, nil) == APUS_OK)
        #expect(harness.functions.clear(harness.context, 0, 0) == APUS_OK)
        harness.end()
        #expect(harness.state.keyCount == 1)
        harness.begin([key])
        #expect(harness.timerFunctions.cancel(harness.context, 0, 0, 0) == APUS_OK)
        #expect(harness.timerFunctions.cancel(harness.context, 0, 0, 0) == APUS_NOT_FOUND)
        harness.end()
        #expect(harness.state.keyCount == 1)
        harness.begin([key])
        #expect(harness.timerFunctions.cancel(harness.context, 1, 0, 0) == APUS_OK)
        harness.end()
        #expect(harness.state.keyCount == 0)
        #expect(harness.state.pool.usedByteCount == 0)
    }
}
