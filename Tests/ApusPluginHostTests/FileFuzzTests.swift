import ApusCore
import ApusTestPlugins
import Testing

@testable import ApusPluginHost

/// Goal: no file makes the reader trap, run away, or say nothing.
///
/// Method: copies of real plugins, cut off everywhere and spoilt at random.  A trap ends the test
/// process; a loop without bound would keep it from ending.
@Suite("ELF files: fuzzing")
struct FileFuzzTests {
    /// A plugin in C with a note, and one in C++ with much in its tables.
    private func plugins() throws -> [[UInt8]] {
        [
            try PluginWorld.bytes(TestPlugin.probe()),
            try PluginWorld.bytes(TestPlugin.hostile()),
        ]
    }

    /// Every answer is a refusal with all its parts, or a report of the contents.
    private func inspect(_ bytes: [UInt8], _ comment: @autoclosure () -> String) {
        let report = FileReport.make(bytes, file: "x.so", sha256: "")
        guard report.contents == nil else { return }
        guard let finding = report.refusal() else {
            Issue.record("neither contents nor a refusal: \(comment())")
            return
        }
        let parts = [finding.what, finding.expected, finding.found, finding.fix, finding.message]
        #expect(!parts.contains(""), "\(finding): \(comment())")
    }

    @Test("cut off at every page, and by a byte")
    func truncated() throws {
        for bytes in try plugins() {
            for count in Array(stride(from: 0, to: bytes.count, by: 4096)) + [bytes.count - 1] {
                let report = FileReport.make(Array(bytes[..<count]), file: "x.so", sha256: "")
                let finding = report.refusal()
                #expect(finding?.check == (count == 0 ? "A1" : "A2"), "cut off at \(count)")
            }
        }
    }

    @Test("spoilt at random", arguments: [UInt64.random(in: 0 ... .max)])
    func spoilt(seed: UInt64) throws {
        print("seed \(seed)")
        var random = SplitMix64(seed: seed)
        for bytes in try plugins() {
            let tables = tableRanges(of: bytes)
            for round in 0..<600 {
                var copy = bytes
                for _ in 0...(random.next() % 8) {
                    // Most of a file is code, which is not read: half of the blows hit the tables.
                    let range =
                        random.next() % 2 == 0
                        ? 0..<copy.count : tables[Int(random.next() % UInt64(tables.count))]
                    guard !range.isEmpty else { continue }
                    let at = range.lowerBound + Int(random.next() % UInt64(range.count))
                    switch random.next() % 3 {
                    case 0: copy[at] = UInt8(truncatingIfNeeded: random.next())
                    case 1: copy[at] = 0xff
                    default: copy[at] ^= 1 << UInt8(random.next() % 8)
                    }
                }
                inspect(copy, "seed \(seed), round \(round)")
            }
        }
    }

    @Test("words of the tables set to extremes")
    func extremes() throws {
        for bytes in try plugins() {
            for range in tableRanges(of: bytes) {
                let step = max(8, range.count / 64 / 8 * 8)
                for at in stride(from: range.lowerBound, to: range.upperBound - 8, by: step) {
                    for value in [UInt64.max, 1 << 63, 0x7fff_ffff_ffff_ffff, 1 << 32, 0] {
                        var copy = bytes
                        for index in 0..<8 {
                            copy[at + index] = UInt8(truncatingIfNeeded: value >> (8 * index))
                        }
                        inspect(copy, "\(value) at \(at)")
                    }
                }
            }
        }
    }

    /// The file header, the tables of headers, the dynamic section, notes, symbols and names.
    private func tableRanges(of bytes: [UInt8]) -> [Range<Int>] {
        guard let file = try? ElfFile(bytes) else { return [0..<64] }
        var ranges = [0..<64 + 56 * file.segments.count]
        for segment in file.segments where segment.kind != ElfSegment.Kind.load {
            ranges.append(Int(segment.offset)..<Int(segment.offset + segment.fileByteCount))
        }
        let names = [".dynsym", ".dynstr", ".gnu.hash", ".hash", ".gnu.version_r", ".note.apus"]
        ranges += file.sections.filter { names.contains($0.name) }.map(\.range)
        let headers = bytes[40..<48].reversed().reduce(0) { $0 << 8 | Int($1) }
        ranges.append(headers..<bytes.count)
        return ranges.filter { !$0.isEmpty }
    }
}
