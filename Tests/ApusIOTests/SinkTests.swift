import ApusCore
import ApusMemory
import Glibc
import Testing

@testable import ApusIO

/// What a sink takes must reach the file, or an error the caller.
@Suite("Sinks")
struct SinkTests {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    /// Values of all sizes: in place, in the arena, around the size of the buffer.
    static let values =
        ["", "a", "twelve bytes", "thirteen byte"]
        + [1, 262_140, 262_143, 262_144, 262_145, 300_000, 2].map {
            String(repeating: "x", count: $0)
        }

    @Test("a file sink writes values as lines, and can extend a file")
    func aFileSinkWritesValuesAsLines() throws {
        let path = folder.file("new/folders/out.txt")
        for (appending, expected) in [(false, 1), (true, 2), (false, 1)] {
            let sink = try FileSink(path: path, appending: appending, disk: LinuxDisk())
            try sink.write(JSONKeyExtractorTests.batch(Self.values))
            try sink.write(RecordBatch(recordCapacity: 1, arenaCapacity: 16))
            try sink.close()
            let text = Self.values.map { $0 + "\n" }.joined()
            #expect(
                try folder.read("new/folders/out.txt") == String(repeating: text, count: expected)
            )
        }
    }

    @Test("no record is glued to a line that was cut off, or to a line that is whole")
    func noRecordIsGluedToACutOffLine() throws {
        for (old, expected) in [("", "a\n"), ("b\n", "b\na\n"), ("b\ncut", "b\ncut\na\n")] {
            let path = try folder.write(old.utf8, to: "out.txt")
            let idle = try FileSink(path: path, appending: true, disk: LinuxDisk())
            try idle.write(RecordBatch(recordCapacity: 1, arenaCapacity: 16))
            try idle.close()
            #expect(try folder.read("out.txt") == old)
            let sink = try FileSink(path: path, appending: true, disk: LinuxDisk())
            for _ in 0..<2 { try sink.write(JSONKeyExtractorTests.batch(["a"])) }
            try sink.close()
            #expect(try folder.read("out.txt") == expected + "a\n")
        }
    }

    @Test("flushing makes what was written visible")
    func flushingMakesWhatWasWrittenVisible() throws {
        let sink = try FileSink(path: folder.file("out"), appending: false, disk: LinuxDisk())
        try sink.write(JSONKeyExtractorTests.batch(["a"]))
        #expect(try folder.read("out").isEmpty)
        try sink.flush()
        #expect(try folder.read("out") == "a\n")
        try sink.close()
    }

    @Test("a full disk is an error, at every later call, too")
    func aFullDiskIsAnError() throws {
        let full = EndpointError("cannot write /dev/full: No space left on device")
        let sink = try FileSink(path: "/dev/full", appending: false, disk: LinuxDisk())
        let batch = JSONKeyExtractorTests.batch(["a"])
        try sink.write(batch)
        #expect(throws: full) { try sink.flush() }
        #expect(throws: full) { try sink.write(batch) }
        #expect(throws: full) { try sink.flush() }
        #expect(throws: full) { try sink.close() }

        let closing = try FileSink(path: "/dev/full", appending: false, disk: LinuxDisk())
        try closing.write(batch)
        #expect(throws: full) { try closing.close() }

        let large = try FileSink(path: "/dev/full", appending: false, disk: LinuxDisk())
        #expect(throws: full) { try large.write(JSONKeyExtractorTests.batch(Self.values)) }
        #expect(throws: full) { try large.close() }
    }

    @Test("a failing wait for the disk or close is an error")
    func aFailingCloseIsAnError() throws {
        for operation in ["synchronize", "close"] {
            let writer = ValueWriter(FailingFile(operation))
            try writer.write(JSONKeyExtractorTests.batch(["a"]))
            #expect(throws: EndpointError("cannot \(operation) out: Input/output error")) {
                try writer.close()
            }
        }
    }

    @Test("a file that cannot be made is an error that names it")
    func aFileThatCannotBeMadeIsAnError() throws {
        #expect(throws: EndpointError("cannot open \(folder.path): Is a directory")) {
            try FileSink(path: folder.path, appending: false, disk: LinuxDisk())
        }
        _ = try folder.write([], to: "file")
        let path = folder.file("file/x/y")
        #expect(throws: EndpointError.self) {
            try FileSink(path: path, appending: false, disk: LinuxDisk())
        }
    }

    @Test("a pipe without a reader is an error of standard output, not the end")
    func aPipeWithoutAReaderIsAnError() throws {
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        let sink = StandardOutputSink(descriptor: ends[1])
        try sink.write(JSONKeyExtractorTests.batch(["a", "b"]))
        try sink.flush()
        var bytes = [UInt8](repeating: 0, count: 16)
        #expect(read(ends[0], &bytes, 16) == 4)
        #expect(bytes.starts(with: "a\nb\n".utf8))
        Glibc.close(ends[0])
        try sink.write(JSONKeyExtractorTests.batch(["c"]))
        #expect(throws: EndpointError("cannot write standard output: Broken pipe")) {
            try sink.flush()
        }
        #expect(throws: EndpointError.self) { try sink.close() }
        Glibc.close(ends[1])
    }

    @Test("a pipe that is set not to wait is waited for")
    func aPipeThatIsSetNotToWaitIsWaitedFor() throws {
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        _ = fcntl(ends[1], F_SETFL, O_NONBLOCK)
        let reader = ends[0]
        let thread = LinuxThreads().start(name: "reader") {
            var bytes = [UInt8](repeating: 0, count: 4096)
            var total = 0
            while total < 1 << 20 { total += max(0, read(reader, &bytes, bytes.count)) }
        }
        let file = LinuxWritableFile(descriptor: ends[1], path: "pipe")
        try [UInt8](repeating: 1, count: 1 << 20).withUnsafeBytes { try file.write($0) }
        thread.join()
        try file.close()
        Glibc.close(ends[0])
    }

    @Test("a discarding sink counts")
    func aDiscardingSinkCounts() throws {
        let sink = DiscardSink()
        try sink.write(JSONKeyExtractorTests.batch(["a", "b"]))
        try sink.write(JSONKeyExtractorTests.batch(["c"]))
        try sink.flush()
        try sink.close()
        #expect(sink.recordCount == 3)
    }
}

/// A file of which one operation fails.
private final class FailingFile: WritableFile {
    func truncate(to byteCount: Int) throws(DiskError) {}
    private let failing: String

    init(_ failing: String) {
        self.failing = failing
    }

    private func perform(_ operation: String) throws(DiskError) {
        guard operation == failing else { return }
        throw DiskError(operation: operation, path: "out", reason: "Input/output error")
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(DiskError) { try perform("write") }

    func synchronize() throws(DiskError) { try perform("synchronize") }

    func close() throws(DiskError) { try perform("close") }
}
