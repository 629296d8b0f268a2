import ApusMemory
import ApusPluginHost
import Testing

/// Goal: as for sources, for sinks.
@Suite("Sink instances")
struct SinkInstanceTests {
    private static func error(_ callback: String, _ message: String) -> PluginError {
        PluginError(.failed, EndpointBench.subject("sink", callback), message)
    }

    private func write(
        _ sink: SinkInstance,
        _ values: [String],
        from first: Int = 0
    )
        -> SinkInstance.Write
    {
        sink.write(
            EndpointBench.batch(values),
            from: first,
            watermark: .min,
            nowMicroseconds: 1
        )
    }

    @Test("records are taken, flushed and committed")
    func recordsAreTaken() throws {
        let sink = try EndpointBench.sink("epoch=41")
        #expect(try sink.open(nowMicroseconds: 1) == 41)
        #expect(write(sink, ["x", "y"]) == .done)
        #expect(sink.counters.map(\.value) == [2])
        #expect(sink.flush(nowMicroseconds: 1) == .done)
        #expect(sink.commit(42, nowMicroseconds: 1) == .done)
        try sink.close(nowMicroseconds: 1)
    }

    @Test("a bad record is told with its place and reason, and what is behind it goes on")
    func badRecords() throws {
        let sink = try EndpointBench.sink("")
        _ = try sink.open(nowMicroseconds: 1)
        let values = ["x", "bad", "y"]
        #expect(write(sink, values) == .badRecord(at: 1, reason: "it is bad"))
        #expect(write(sink, values, from: 2) == .done)
        #expect(sink.counters.map(\.value) == [2])
    }

    @Test("a sink may take a batch in parts, and may ask for patience")
    func partsAndPatience() throws {
        let parts = try EndpointBench.sink("write-one")
        _ = try parts.open(nowMicroseconds: 1)
        #expect(write(parts, ["x", "y"]) == .again(at: 1))
        #expect(write(parts, ["x", "y"], from: 1) == .done)
        let patient = try EndpointBench.sink("write-retry flush-retry commit-retry")
        _ = try patient.open(nowMicroseconds: 1)
        #expect(write(patient, ["x"]) == .retry("not now"))
        #expect(write(patient, ["x"]) == .retry("not now"))
        #expect(write(patient, ["x"]) == .done)
        #expect(patient.flush(nowMicroseconds: 1) == .retry("busy"))
        #expect(patient.flush(nowMicroseconds: 1) == .retry("busy"))
        #expect(patient.flush(nowMicroseconds: 1) == .done)
        #expect(patient.commit(1, nowMicroseconds: 1) == .done)
    }

    @Test(
        "a misdeed in write is a failure with its name",
        arguments: [
            ("write-code", "returned 77, which is not a result that the ABI knows here"),
            ("write-fatal", "the table is gone"),
            ("write-behind", "broke the contract: it stopped at record 7 of 0..<2"),
            ("record-behind", "broke the contract: it reported record 2 of 0..<2"),
        ]
    )
    func misdeedsInWrite(misdeed: String, message: String) throws {
        let sink = try EndpointBench.sink(misdeed)
        _ = try sink.open(nowMicroseconds: 1)
        #expect(write(sink, ["x", "y"]) == .failed(Self.error("write", message)))
    }

    @Test("one that yields and never takes anything fails")
    func yieldingForEver() throws {
        let sink = try EndpointBench.sink("write-yields")
        _ = try sink.open(nowMicroseconds: 1)
        let message = "broke the contract: it yielded three times without progress at record 0"
        #expect(
            (0..<3).map { _ in write(sink, ["x"]) }
                == [.again(at: 0), .again(at: 0), .failed(Self.error("write", message))]
        )
    }

    @Test("what goes wrong in open, flush and commit is a failure with its name")
    func misdeedsElsewhere() throws {
        let locked = try EndpointBench.sink("open-error")
        #expect(throws: Self.error("open", "it is locked")) {
            _ = try locked.open(nowMicroseconds: 1)
        }
        let sink = try EndpointBench.sink("flush-fatal commit-fatal")
        _ = try sink.open(nowMicroseconds: 1)
        #expect(
            sink.flush(nowMicroseconds: 1) == .failed(Self.error("flush", "the pipe is broken"))
        )
        #expect(
            sink.commit(1, nowMicroseconds: 1) == .failed(Self.error("commit", "a constraint"))
        )
        let strange = try EndpointBench.sink("flush-code commit-code")
        _ = try strange.open(nowMicroseconds: 1)
        let message = "returned 3, which is not a result that the ABI knows here"
        #expect(strange.flush(nowMicroseconds: 1) == .failed(Self.error("flush", message)))
        #expect(strange.commit(1, nowMicroseconds: 1) == .failed(Self.error("commit", message)))
    }
}
