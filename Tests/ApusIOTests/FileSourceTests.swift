import ApusCore
import ApusMemory
import Foundation
import Testing

@testable import ApusIO

/// Real files: compressed, growing, vanishing, missing.
@Suite("FileSource")
struct FileSourceTests {
    static let parsing = RecordParsing(format: .jsonLines)
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    func source(
        _ path: String,
        follow: Bool = false,
        chunkByteCount: Int = 4096
    ) throws(EndpointError) -> FileSource {
        try FileSource(
            path: path,
            parsing: Self.parsing,
            follow: follow,
            disk: LinuxDisk(),
            limits: RecordReader.Limits(chunkByteCount: chunkByteCount)
        )
    }

    static let lines = (0..<5000).map { #"{"number":\#($0),"square":\#($0 * $0)}"# }

    /// The lines, compressed by gzip itself.
    func compressed(_ name: String, _ lines: some Sequence<String>) throws -> [UInt8] {
        let text = lines.joined(separator: "\n") + "\n"
        let path = try folder.write(text.utf8, to: name)
        let result = try LinuxProcesses().run(
            "/bin/gzip",
            arguments: ["gzip", "-c", path],
            timeoutMilliseconds: 10_000
        )
        try #require(result.end == .exited(0))
        return result.output
    }

    @Test("reads a file to its end, and names it in positions")
    func readsAFileToItsEnd() throws {
        let path = try folder.write("{}\nx\n".utf8, to: "a.jsonl")
        let source = try FileSource(path: path, parsing: Self.parsing, disk: LinuxDisk())
        let read = try ReadRecords(source)
        source.close()
        #expect(read.values == ["{}"])
        #expect(read.rejected.map(\.position) == ["\(path):2 (byte 3)"])
        #expect(read.last == .ended)
    }

    @Test("a file that cannot be opened is named at once")
    func aFileThatCannotBeOpenedIsNamed() throws {
        let missing = folder.file("missing/file.jsonl")
        #expect(throws: EndpointError("cannot open \(missing): No such file or directory")) {
            try source(missing)
        }
        #expect(throws: EndpointError("cannot open \(folder.path): Is a directory")) {
            try source(folder.path)
        }
        let file = try folder.write([], to: "file")
        #expect(throws: EndpointError("cannot open \(file)/x: Not a directory")) {
            try source(file + "/x")
        }
        #expect(throws: EndpointError("a.gz: a compressed file cannot be followed")) {
            try source("a.gz", follow: true)
        }
    }

    @Test("a file that vanishes while it is read is read to its end")
    func aFileThatVanishesIsReadToItsEnd() throws {
        let path = try folder.write(Self.lines.joined(separator: "\n").utf8, to: "a.jsonl")
        let source = try source(path)
        let batch = RecordBatch(recordCapacity: 10, arenaCapacity: 64)
        #expect(try source.read(into: batch) { _ in } == .advanced)
        try FileManager.default.removeItem(atPath: path)
        #expect(try ReadRecords(source).values == Array(Self.lines[10...]))
    }

    @Test("compressed files are decompressed, members and all", arguments: [100, 4096, 1 << 18])
    func compressedFilesAreDecompressed(chunkByteCount: Int) throws {
        let bytes = try compressed("1", Self.lines[..<3000]) + compressed("2", Self.lines[3000...])
        let path = try folder.write(bytes, to: "a.jsonl.gz")
        let read = try ReadRecords(source(path, chunkByteCount: chunkByteCount))
        #expect(read.values == Self.lines)
        #expect(read.rejected.isEmpty)
    }

    @Test("a compressed file that is cut off is an error, wherever it is cut")
    func aCompressedFileThatIsCutOffIsAnError() throws {
        let bytes = try compressed("1", Self.lines[..<20])
        for count in 0..<bytes.count {
            let path = try folder.write(bytes.prefix(count), to: "a.gz")
            let reason =
                count == 0
                ? "it is empty, and so not a gzip file" : "the compressed data ends too early"
            #expect(throws: EndpointError("cannot decompress \(path): \(reason)")) {
                try ReadRecords(source(path))
            }
        }
    }

    @Test("a compressed file that is damaged is an error")
    func aCompressedFileThatIsDamagedIsAnError() throws {
        let bytes = try compressed("1", Self.lines[..<20])
        // The magic, the method, the data, the checksum, the length.
        for index in [0, 1, 2, 60, bytes.count - 6, bytes.count - 2] {
            var damaged = bytes
            damaged[index] ^= 0x55
            let path = try folder.write(damaged, to: "a.gz")
            #expect { try ReadRecords(source(path)) } throws: { error in
                "\(error)".hasPrefix("cannot decompress \(path): it is not gzip, or damaged: ")
            }
        }
        let path = try folder.write(bytes + [1, 2, 3], to: "b.gz")
        #expect(throws: EndpointError.self) { try ReadRecords(source(path)) }
    }

    @Test("a followed file goes on when it grows, and waits for the end of a line")
    func aFollowedFileGoesOnWhenItGrows() throws {
        let path = try folder.write("{}\n{\"a\":".utf8, to: "a.jsonl")
        let source = try source(path, follow: true)
        var read = try ReadRecords(source)
        #expect(read.values == ["{}"])
        #expect(read.last == .nothingYet)
        try folder.append("1", to: "a.jsonl")
        #expect(try ReadRecords(source).values.isEmpty)
        try folder.append("}\r\n{}", to: "a.jsonl")
        read = try ReadRecords(source)
        #expect(read.values == [#"{"a":1}"#])
        try folder.append("\n", to: "a.jsonl")
        read = try ReadRecords(source)
        #expect(read.values == ["{}"])
        #expect(read.last == .nothingYet)
    }

    @Test("a followed file may begin empty, even as CSV")
    func aFollowedFileMayBeginEmpty() throws {
        let path = try folder.write([], to: "a.csv")
        let source = try FileSource(
            path: path,
            parsing: CSVTests.parsing(.json),
            follow: true,
            disk: LinuxDisk()
        )
        #expect(try ReadRecords(source).last == .nothingYet)
        try folder.append("a,b\n", to: "a.csv")
        #expect(try ReadRecords(source).values.isEmpty)
        try folder.append("1,2\n", to: "a.csv")
        #expect(try ReadRecords(source).values == [#"{"a":"1","b":"2"}"#])
    }

    @Test("a followed file that vanishes, is replaced or cut is an error")
    func aFollowedFileThatVanishesIsAnError() throws {
        func followed() throws -> FileSource {
            let source = try source(folder.write("{}\n{}\n".utf8, to: "a.jsonl"), follow: true)
            #expect(try ReadRecords(source).values == ["{}", "{}"])
            return source
        }
        let path = folder.file("a.jsonl")
        let vanished = try followed()
        try FileManager.default.removeItem(atPath: path)
        #expect(throws: EndpointError("\(path): has vanished while it was followed")) {
            try ReadRecords(vanished)
        }
        let message = "\(path): was truncated or replaced while it was followed"
        let truncated = try followed()
        _ = try folder.write("{}\n".utf8, to: "a.jsonl")
        #expect(throws: EndpointError(message)) { try ReadRecords(truncated) }
        let replaced = try followed()
        let other = try folder.write("{}\n{}\n{}\n".utf8, to: "b.jsonl")
        try FileManager.default.removeItem(atPath: path)
        try FileManager.default.moveItem(atPath: other, toPath: path)
        #expect(throws: EndpointError(message)) { try ReadRecords(replaced) }
    }
}
