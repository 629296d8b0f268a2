import Testing

@testable import ApusControl

@Suite("Lines of a control socket")
struct LineFramingTests {
    @Test("lines come out whole, whatever the pieces they came in", arguments: 1...9)
    func pieces(size: Int) throws {
        let stream = Array("one\n\ntwo two\nthree".utf8)
        var framing = LineFraming(byteCountMax: 7)
        var lines: [String] = []
        var at = 0
        while at < stream.count {
            framing.append(Array(stream[at..<min(at + size, stream.count)]))
            at += size
            while let line = try framing.next() {
                lines.append(String(decoding: line, as: UTF8.self))
            }
        }
        #expect(lines == ["one", "", "two two"])
        #expect(framing.hasPart)
    }

    @Test("a line that is too long is refused, with or without its end")
    func tooLong() throws {
        var framing = LineFraming(byteCountMax: 4)
        framing.append(Array("1234\n12345".utf8))
        #expect(try framing.next()?.count == 4)
        #expect(throws: LineFraming.TooLong(byteCountMax: 4)) { try framing.next() }
        var other = LineFraming(byteCountMax: 4)
        other.append(Array("12345\n".utf8))
        #expect(throws: LineFraming.TooLong(byteCountMax: 4)) { try other.next() }
    }
}
