import ApusCore
import ApusMemory
import ApusState
import Testing

@testable import ApusRuntime

@Suite("Shadow")
struct ShadowTests {
    private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    // MARK: - Comparison

    @Test("order is no difference, and each output has one partner")
    func comparesMultisets() {
        var comparison = ShadowComparison()
        for text in ["a", "b", "b", "c"] { comparison.addRunning(bytes(text)) }
        for text in ["b", "a", "d", "b", "b"] { comparison.addNew(bytes(text)) }
        #expect(comparison.running == 4)
        #expect(comparison.new == 5)
        #expect(comparison.equal == 3)
        #expect(comparison.onlyRunning == 1)
        #expect(comparison.onlyNew == 2)
    }

    @Test("a partner may come later, on either side")
    func partnersComeLater() {
        var comparison = ShadowComparison()
        comparison.addNew(bytes("x"))
        comparison.addRunning(bytes("y"))
        #expect(comparison.onlyNew == 1)
        comparison.addRunning(bytes("x"))
        comparison.addNew(bytes("y"))
        #expect(comparison.equal == 2)
        #expect(comparison.onlyRunning == 0)
        #expect(comparison.onlyNew == 0)
        #expect(comparison.samples.isEmpty)
    }

    @Test("counts agree with a plain count of both sides", arguments: 1...20)
    func agreesWithCounts(seed: Int) {
        var random = SplitMix64(seed: UInt64(seed))
        var comparison = ShadowComparison()
        var (running, new): ([UInt8: Int], [UInt8: Int]) = ([:], [:])
        for _ in 0..<500 {
            let output = UInt8.random(in: 0..<12, using: &random)
            if Bool.random(using: &random) {
                comparison.addRunning([output])
                running[output, default: 0] += 1
            } else {
                comparison.addNew([output])
                new[output, default: 0] += 1
            }
        }
        let outputs = Set(running.keys).union(new.keys)
        let equal = outputs.reduce(0) { $0 + min(running[$1] ?? 0, new[$1] ?? 0) }
        #expect(comparison.equal == equal, "seed \(seed)")
        #expect(comparison.onlyRunning == running.values.reduce(0, +) - equal, "seed \(seed)")
        #expect(comparison.onlyNew == new.values.reduce(0, +) - equal, "seed \(seed)")
    }

    @Test("versions with nothing in common are given up")
    func isFullAtLast() {
        var comparison = ShadowComparison()
        for number in 0...ShadowComparison.openCountMax {
            #expect(!comparison.isFull)
            comparison.addRunning(bytes("\(number)"))
        }
        #expect(comparison.isFull)
    }

    @Test("samples show text as it is, other bytes in hexadecimal, and cut what is long")
    func samples() throws {
        let batch = RecordBatch(recordCapacity: 3, arenaCapacity: 4096)
        for value in [bytes("{\"n\":1}"), [0xff, 0x00], Array(repeating: 0x61, count: 300)] {
            let isAppended = bytes("k").withUnsafeBytes { key in
                value.withUnsafeBytes { batch.append(key: key, value: $0, time: 5) }
            }
            #expect(isAppended)
        }
        var found: [ShadowReport.Sample] = []
        ShadowOutput.bytes(batch, output: 2) { output in
            found += [ShadowOutput.sample(output, .new)].compactMap { $0 }
        }
        #expect(found.map(\.key) == ["k", "k", "k"])
        #expect(found.map(\.output) == [2, 2, 2])
        #expect(found.map(\.timeMicroseconds) == [5, 5, 5])
        #expect(found[0].value == "{\"n\":1}")
        #expect(found[1].value == "0xff00")
        #expect(found[2].value == String(repeating: "a", count: 200) + "...")
        let reject = RejectedRecord(position: "", reason: "why", bytes: bytes("v"))
        let sample = try #require(ShadowOutput.sample(ShadowOutput.bytes(reject), .running))
        #expect(sample.output == nil)
        #expect(sample.timeMicroseconds == nil)
        #expect(sample.value == "v")
    }

    // MARK: - Messages

    private func step() -> [UInt8] {
        let image = KeyImage(
            key: bytes("key"),
            values: [
                KeyImage.Value(slot: 0, content: .bytes(bytes("value"))),
                KeyImage.Value(slot: 1, content: .number(-7)),
                KeyImage.Value(slot: 2, content: .list([bytes("a"), []])),
                KeyImage.Value(slot: 3, content: .map([(bytes("k"), bytes("v"))])),
            ],
            timers: [
                StoredRow.Timer(
                    domain: 1,
                    name: 2,
                    id: 3,
                    timeMicroseconds: -4,
                    payload: bytes("payload")
                )
            ],
            isWhole: true
        )
        let batch = RecordBatch(recordCapacity: 1, arenaCapacity: 64)
        let isAppended = bytes("key").withUnsafeBytes { key in
            bytes("a value that is not in place").withUnsafeBytes {
                batch.append(key: key, value: $0, time: 9)
            }
        }
        precondition(isAppended, "there is room for one")
        batch.hashes[0] = 77
        let feed = ShadowFeed()
        let tap = ShadowTap(feed, isKeyed: false, fork: ShadowFork())
        _ = feed.take(waitingNanoseconds: 0)
        tap.begin(.records, watermark: 8)
        tap.note(batch, input: 1, state: nil)
        tap.note(now: 10)
        tap.note(batch, output: 0)
        tap.end()
        let sent = feed.take(waitingNanoseconds: 0)[0]
        // The tap copies keys of a state alone: one is put in by hand.
        var writer = ShadowWriter()
        writer.add(UInt32(1))
        writer.add(image)
        let head = Array(sent[4..<5 + 21])
        return head + writer.bytes + sent[(5 + 21 + 4)...]
    }

    @Test("a step comes out as it went in")
    func stepRoundTrip() throws {
        guard case .step(let step) = ShadowMessage.read(step()[...]) else {
            Issue.record("expected a step")
            return
        }
        #expect(step.what == .records)
        #expect(step.input == 1)
        #expect(step.now == 10)
        #expect(step.watermark == 8)
        let image = try #require(step.images.first)
        #expect(image.key == bytes("key"))
        #expect(image.values.map(\.slot) == [0, 1, 2, 3])
        #expect(image.timers.first?.timeMicroseconds == -4)
        #expect(image.timers.first?.payload == bytes("payload"))
        guard case .map(let entries) = image.values[3].content else {
            Issue.record("expected a map")
            return
        }
        #expect(entries.map(\.value) == [bytes("v")])
        #expect(step.records.count == 1)
        #expect(step.records.times[0] == 9)
        #expect(step.outputs.count == 1)
    }

    @Test("a message that was cut off or changed is refused, or is another message")
    func damage() {
        let whole = step()
        for count in 0..<whole.count {
            if case .step = ShadowMessage.read(whole[..<count]) {
                Issue.record("\(count) of \(whole.count) bytes are no step")
            }
        }
        var random = SplitMix64(seed: 1)
        for _ in 0..<20_000 {
            var bytes = whole
            let at = Int.random(in: 0..<bytes.count, using: &random)
            bytes[at] = UInt8.random(in: 0...255, using: &random)
            // It must come back, whatever it says.
            _ = ShadowMessage.read(bytes[...])
        }
    }

    @Test("a fork comes out as it went in")
    func forkRoundTrip() {
        var fork = ShadowFork()
        fork.watermark = 12
        fork.broadcasts = [[], [BroadcastEntry(key: bytes("k"), value: bytes("v"))]]
        fork.operatorState = [[bytes("one"), bytes("two")]]
        fork.snapshot = bytes("own")
        guard case .fork(let found) = ShadowMessage.read(ShadowWriter.message(fork)[4...]) else {
            Issue.record("expected a fork")
            return
        }
        #expect(found.watermark == 12)
        #expect(found.broadcasts == fork.broadcasts)
        #expect(found.operatorState == fork.operatorState)
        #expect(found.snapshot == bytes("own"))
    }

    // MARK: - Feed

    @Test("a reader that is too slow ends the feed, and the task thread does not wait")
    func overflow() {
        let feed = ShadowFeed()
        let message = [UInt8](repeating: 1, count: 16 << 20)
        for _ in 0..<4 { feed.post(message) }
        #expect(!feed.hasOverflown)
        feed.post(message)
        #expect(feed.hasOverflown)
        #expect(feed.isClosed)
        #expect(feed.take(waitingNanoseconds: 0).count == 4)
        feed.post(message)
        #expect(feed.take(waitingNanoseconds: 0).isEmpty)
    }
}
