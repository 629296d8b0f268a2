import ApusMemory
import ApusPluginHost
import Testing

/// Goal: as for sources, for codecs.
@Suite("Codec instances")
struct CodecInstanceTests {
    private static func error(_ callback: String, _ message: String) -> PluginError {
        PluginError(.failed, EndpointBench.subject("codec of", callback), message)
    }

    private func cut(
        _ text: String,
        _ codec: CodecInstance,
        atMost count: Int = 100
    ) throws -> (frames: [String], used: Int) {
        var ranges: [Range<Int>] = []
        let bytes = Array(text.utf8)
        let used = try bytes.withUnsafeBytes {
            try codec.split($0, isEnd: false, atMost: count, into: &ranges)
        }
        return (ranges.map { String(decoding: bytes[$0], as: UTF8.self) }, used)
    }

    @Test("frames are cut, whole ones only, and not more than there is room for")
    func framesAreCut() throws {
        let codec = try EndpointBench.codec("")
        #expect(codec.splits)
        let all = try cut("one,,three,fo", codec)
        #expect(all.frames == ["one", "", "three"])
        #expect(all.used == 11)
        let some = try cut("one,,three,fo", codec, atMost: 1)
        #expect(some.frames == ["one"])
        #expect(some.used == 4)
    }

    @Test(
        "frames that make no sense are refused",
        arguments: [
            ("split-error", "what is this"),
            (
                "split-beyond",
                "broke the contract: it found 0 frames in 5 bytes, with room for 100 and 4 bytes"
            ),
            (
                "split-many",
                "broke the contract: it found 101 frames in 0 bytes, with room for 100 and 4 bytes"
            ),
            (
                "split-outside",
                "broke the contract: it put frame 0 at 0, 5 bytes long, behind byte 0 of 4"
            ),
        ]
    )
    func badFramesAreRefused(misdeed: String, message: String) throws {
        let codec = try EndpointBench.codec(misdeed)
        let error = #expect(throws: EndpointError.self) { _ = try cut("abc,", codec) }
        #expect(error?.description == Self.error("split", message).description)
    }

    @Test("frames become records, one or several, and bad ones are told")
    func framesBecomeRecords() throws {
        let codec = try EndpointBench.codec("twice")
        let frames = EndpointBench.batch(["x", "bad", "a value that is longer than a view"])
        #expect(
            codec.decode(frames, from: 0, nowMicroseconds: 1)
                == .badRecord(at: 1, reason: "it is bad")
        )
        #expect(EndpointBench.drained(codec.output) == ["x", "x"])
        #expect(codec.decode(frames, from: 2, nowMicroseconds: 1) == .done)
        let long = "a value that is longer than a view"
        #expect(EndpointBench.drained(codec.output) == [long, long])
    }

    @Test(
        "a misdeed in decode is a failure with its name",
        arguments: [
            ("decode-code", "returned 77, which is not a result that the ABI knows here"),
            ("decode-behind", "broke the contract: it stopped at frame 2 of 0..<1"),
            ("decode-record-behind", "broke the contract: it reported frame 1 of 0..<1"),
        ]
    )
    func misdeedsInDecode(misdeed: String, message: String) throws {
        let codec = try EndpointBench.codec(misdeed)
        let outcome = codec.decode(EndpointBench.batch(["x"]), from: 0, nowMicroseconds: 1)
        #expect(outcome == .failed(Self.error("decode", message)))
    }

    @Test("records become bytes, and bad ones leave none behind")
    func recordsBecomeBytes() throws {
        let codec = try EndpointBench.codec("")
        let batch = EndpointBench.batch(["x", "bad things are not written at all", "yy"])
        let target = RecordBatch(recordCapacity: 8, arenaCapacity: 16)
        let outcomes = (0..<3).map {
            codec.encode($0, of: batch, into: target, nowMicroseconds: 1)
        }
        #expect(outcomes == [.done, .badRecord(at: 1, reason: "it is bad"), .done])
        #expect(EndpointBench.values(target) == ["x,", "yy,"])
        let strange = try EndpointBench.codec("encode-code")
        let message = "returned 77, which is not a result that the ABI knows here"
        #expect(
            strange.encode(0, of: batch, into: target, nowMicroseconds: 1)
                == .failed(Self.error("encode", message))
        )
        #expect(EndpointBench.values(target) == ["x,", "yy,"])
    }
}
