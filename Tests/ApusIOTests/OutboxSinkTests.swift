import ApusCore
import ApusMemory
import Glibc
import Testing

@testable import ApusIO

/// What a sink takes is in the log of its epoch once, however often the disk was full.
@Suite("Outbox sink")
struct OutboxSinkTests {
    let disk = MemoryDisk()

    func sink(_ subtask: Int = 0) -> OutboxSink {
        OutboxSink(sink: "out", subtask: subtask, directory: "work", disk: disk)
    }

    static func batch(_ values: [String]) -> RecordBatch { JSONKeyExtractorTests.batch(values) }

    @Test("each epoch has a log of its own, and none when it is empty")
    func eachEpochHasALog() throws {
        let sink = sink(3)
        #expect(
            try sink.seal(epoch: 1)
                == SealedOutput(sink: "out", subtask: 3, epoch: 1, logPath: nil, byteCount: 0)
        )
        try sink.write(Self.batch(["a", "", "bc"]))
        try sink.flush()
        #expect(disk.names(in: "work").isEmpty)
        let second = try sink.seal(epoch: 2)
        let path = "work/out-3-00000000000000000001.log"
        #expect(
            second == SealedOutput(sink: "out", subtask: 3, epoch: 2, logPath: path, byteCount: 6)
        )
        #expect(disk.text(path) == "a\n\nbc\n")
        try sink.write(Self.batch(["d"]))
        // Numbers of epochs may leave gaps: those of checkpoints that came to nothing.
        let third = try sink.seal(epoch: 7)
        #expect(third.logPath == "work/out-3-00000000000000000002.log")
        #expect(disk.text(try #require(third.logPath)) == "d\n")
        try sink.close()
        #expect(disk.names(in: "work").count == 2)
    }

    @Test("a log that is there is left alone: it may be a checkpoint's")
    func aLogThatIsThereIsLeftAlone() throws {
        let old = "work/out-0-00000000000000000001.log"
        disk[old] = Array("old".utf8)
        let sink = sink()
        try sink.write(Self.batch(["new"]))
        let sealed = try sink.seal(epoch: 1)
        #expect(sealed.logPath == "work/out-0-00000000000000000002.log")
        #expect(disk.text(old) == "old")
    }

    @Test("closing drops what was not sealed")
    func closingDropsWhatWasNotSealed() throws {
        let sink = sink()
        try sink.write(Self.batch(SinkTests.values))
        #expect(disk.names(in: "work").count == 1)
        try sink.close()
        #expect(disk.names(in: "work").isEmpty)
    }

    /// Values that fill the buffer several times, some of them alone.
    static func batches(_ random: inout SplitMix64) -> [[String]] {
        (0..<12).map { number in
            (0..<Int.random(in: 0...40, using: &random)).map { index in
                let isLarge = Int.random(in: 0..<20, using: &random) == 0
                let count = Int.random(in: 0...(isLarge ? 300_000 : 9000), using: &random)
                return "\(number).\(index)" + String(repeating: "z", count: count)
            }
        }
    }

    @Test("a disk that is full loses and doubles nothing", arguments: 1...12)
    func aFullDiskLosesNothing(seed: Int) throws {
        var random = SplitMix64(seed: UInt64(seed))
        let batches = Self.batches(&random)
        let expected = batches.joined().map { $0 + "\n" }.joined()
        var failureCount = 1
        // The n-th write fails, and sometimes those behind it, until no write is as far as that.
        while failureCount > 0 {
            let disk = MemoryDisk()
            let sink = OutboxSink(sink: "out", subtask: 0, directory: "work", disk: disk)
            var isFired = false
            for offset in 0..<Int.random(in: 1...3, using: &random) {
                let byteCount = Int.random(in: 0...200_000, using: &random)
                disk.failWrite(failureCount + offset, afterByteCount: byteCount)
            }
            func retrying(_ body: () throws(EndpointError) -> Void) throws {
                while true {
                    do throws(EndpointError) {
                        return try body()
                    } catch {
                        try #require(error.isRetryable, "\(error)")
                    }
                }
            }
            var text = ""
            for (index, values) in batches.enumerated() {
                try retrying { () throws(EndpointError) in try sink.write(Self.batch(values)) }
                guard index % 5 == 4 || index == batches.count - 1 else { continue }
                var sealed: SealedOutput?
                try retrying { () throws(EndpointError) in
                    sealed = try sink.seal(epoch: UInt64(index) + 1)
                }
                let path = try #require(sealed?.logPath)
                let log = try #require(disk.text(path))
                #expect(log.utf8.count == sealed?.byteCount)
                text += log
            }
            #expect(text == expected, "seed \(seed), write \(failureCount)")
            isFired = disk.writeCount >= failureCount
            failureCount = isFired ? failureCount + 1 : 0
        }
    }

    @Test("who writes on meets the full disk, and nothing of his batch is taken")
    func whoWritesOnMeetsTheFullDisk() throws {
        for number in 1...3 { disk.failWrite(number, afterByteCount: 10 * number) }
        let sink = sink()
        let large = String(repeating: "x", count: 300_000)
        try sink.write(Self.batch([large]))
        let full = EndpointError(
            "cannot write work/out-0-00000000000000000001.log: No space left on device",
            isRetryable: true
        )
        #expect(throws: full) { try sink.write(Self.batch(["a"])) }
        #expect(throws: full) { try sink.write(Self.batch(["a"])) }
        try sink.write(Self.batch(["a"]))
        let sealed = try sink.seal(epoch: 1)
        #expect(disk.text(try #require(sealed.logPath)) == large + "\na\n")
    }

    @Test("a log that somebody else touched or took away is the end")
    func aLogThatSomebodyElseTouchedIsTheEnd() throws {
        for change in ["", "more"] {
            let disk = MemoryDisk()
            let sink = OutboxSink(sink: "out", subtask: 0, directory: "work", disk: disk)
            disk.failWrite(1, afterByteCount: 3)
            try sink.write(Self.batch(["value"]))
            #expect(throws: EndpointError.self) { try sink.seal(epoch: 1) }
            let path = "work/out-0-00000000000000000001.log"
            if change.isEmpty { disk[path] = nil } else { disk.extend(path, Array(change.utf8)) }
            let error = #expect(throws: EndpointError.self) { try sink.seal(epoch: 1) }
            #expect(error?.isRetryable == false)
            for _ in 0..<2 {
                let later = #expect(throws: EndpointError.self) {
                    try sink.write(Self.batch(["b"]))
                }
                #expect(later == error)
            }
        }
    }

    @Test("real files are logs, too")
    func aRealLog() throws {
        let folder = try TemporaryFolder()
        let sink = OutboxSink(
            sink: "out",
            subtask: 0,
            directory: folder.path,
            disk: LinuxDisk()
        )
        try sink.write(Self.batch(SinkTests.values))
        let sealed = try sink.seal(epoch: 1)
        let text = SinkTests.values.map { $0 + "\n" }.joined()
        #expect(try folder.read("out-0-00000000000000000001.log") == text)
        #expect(sealed.byteCount == text.utf8.count)
        try sink.close()
        let missing = OutboxSink(
            sink: "out",
            subtask: 0,
            directory: folder.file("missing"),
            disk: LinuxDisk()
        )
        try missing.write(Self.batch(["a"]))
        let error = #expect(throws: EndpointError.self) { try missing.seal(epoch: 1) }
        #expect(error?.isRetryable == false)
    }

    @Test("what room can mend is retryable, and nothing else")
    func whatRoomCanMendIsRetryable() {
        for (number, isRetryable) in [
            (ENOSPC, true), (EDQUOT, true), (EIO, true), (ENOMEM, true), (EMFILE, true),
            (ENFILE, true), (EACCES, false), (EROFS, false), (ENOENT, false), (EBADF, false),
            (0, false),
        ] {
            let error = DiskError("write", "x", errorNumber: number)
            #expect(EndpointError(retrying: error).isRetryable == isRetryable, "\(error)")
        }
    }
}
