import ApusCore
import ApusMemory
import Glibc
import Testing

@testable import ApusIO

/// A pipe must never be waited for.
@Suite("StdinSource")
struct StdinSourceTests {
    @Test("reads what is in a pipe, and says so when there is nothing")
    func readsWhatIsInAPipe() throws {
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        defer { Glibc.close(ends[0]) }
        let writer = LinuxWritableFile(descriptor: ends[1], path: "pipe")
        func write(_ text: String) throws {
            try Array(text.utf8).withUnsafeBytes { try writer.write($0) }
        }
        let source = StdinSource(
            parsing: RecordParsing(format: .jsonLines),
            descriptor: ends[0]
        )
        #expect(try ReadRecords(source).last == .nothingYet)
        try write("{}\nx\n{\"a\":")
        var read = try ReadRecords(source)
        #expect(read.values == ["{}"])
        #expect(read.rejected.map(\.position) == ["standard input:2 (byte 3)"])
        #expect(read.last == .nothingYet)
        try write("1}")
        try writer.close()
        read = try ReadRecords(source)
        #expect(read.values == [#"{"a":1}"#])
        #expect(read.last == .ended)
        source.close()
    }

    @Test("a standard input that is closed is an error")
    func aStandardInputThatIsClosedIsAnError() {
        let source = StdinSource(parsing: RecordParsing(format: .jsonLines), descriptor: 9999)
        #expect(throws: EndpointError("cannot open standard input: Bad file descriptor")) {
            try ReadRecords(source)
        }
    }
}
