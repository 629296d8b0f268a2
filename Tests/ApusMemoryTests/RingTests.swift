import ApusCore
import ApusTestSupport
import Testing

@testable import ApusMemory

/// A ring behaves as a bounded queue: against a model on one thread, and between two real threads.
@Suite("Ring", .timeLimit(.minutes(5)))
struct RingTests {
    @Test("is full after its capacity and empty after as many", arguments: [2, 4, 64])
    func isFullAfterItsCapacity(capacity: Int) {
        let ring = Ring(capacity: capacity)
        // Several rounds, from every offset into the slots.
        for round in 0..<UInt64(capacity + 3) {
            #expect(ring.isEmpty)
            #expect(ring.pop() == nil)
            for number in 0..<UInt64(capacity) { #expect(ring.push(round * 1000 + number)) }
            #expect(!ring.push(.max))
            #expect(ring.depth == capacity)
            #expect(!ring.isEmpty)
            for number in 0..<UInt64(capacity) { #expect(ring.pop() == round * 1000 + number) }
            #expect(ring.pop() == nil)
            #expect(ring.push(1))
            #expect(ring.pop() == 1)
        }
    }

    @Test("carries every word, also 0 and all ones")
    func carriesEveryWord() {
        let ring = Ring(capacity: 4)
        for word in [0, 1, 3, .max, .max - 1, 1 << 63] as [UInt64] {
            #expect(ring.push(word))
            #expect(ring.pop() == word)
        }
    }

    @Test(
        "agrees with an array over random pushes and pops",
        arguments: 1...8 as ClosedRange<UInt64>
    )
    func agreesWithAnArray(seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        let ring = Ring(capacity: 1 << generator.number(in: 1...5))
        var model: [UInt64] = []
        for step in 0..<5_000 {
            if generator.next() & 1 == 0 {
                let word = generator.next()
                let hadRoom = model.count < ring.capacity
                try check(ring.push(word) == hadRoom, "seed \(seed), step \(step): push")
                if hadRoom { model.append(word) }
            } else {
                let word = model.isEmpty ? nil : model.removeFirst()
                try check(ring.pop() == word, "seed \(seed), step \(step): pop")
            }
            try check(ring.depth == model.count, "seed \(seed), step \(step): depth")
            try check(ring.isEmpty == model.isEmpty, "seed \(seed), step \(step): isEmpty")
        }
    }

    @Test(
        "hands millions of words from thread to thread in order",
        arguments: [(2, 200_000), (16, 1_000_000), (1024, 2_000_000)] as [(Int, UInt64)]
    )
    func handsWordsFromThreadToThread(capacity: Int, wordCount: UInt64) {
        let ring = Ring(capacity: capacity)
        let writer = TestThread {
            for number in 0..<wordCount {
                while !ring.push(SplitMix64.mix(number)) { TestThread.yield() }
            }
        }
        var wrong: [UInt64] = []
        for number in 0..<wordCount {
            var word = ring.pop()
            while word == nil {
                TestThread.yield()
                word = ring.pop()
            }
            if word != SplitMix64.mix(number), wrong.count < 5 { wrong.append(number) }
        }
        writer.join()
        #expect(wrong.isEmpty, "out of order at these")
        #expect(ring.isEmpty)
        #expect(ring.pop() == nil)
    }
}
