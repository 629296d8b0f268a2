import ApusTestPlugins
import Testing

@testable import ApusPluginHost

/// Goal: no file, however damaged, does harm before its code runs, and each is refused with a
/// sentence that helps.
///
/// Method: a real plugin with one thing wrong.
@Suite("ELF files")
struct ElfFileTests {
    private static let notElf = "not an ELF file; expected a shared library (.so)"

    private func refusal(_ bytes: [UInt8]) -> PluginError? {
        FileReport.make(bytes, file: "x.so", sha256: "").refusal()?.error("x.so")
    }

    private func plugin() throws -> [UInt8] {
        try PluginWorld.bytes(TestPlugin.probe())
    }

    @Test("a good plugin passes")
    func aGoodPluginPasses() throws {
        #expect(refusal(try plugin()) == nil)
    }

    @Test("an empty file and a text are not ELF files")
    func anEmptyFileAndATextAreNotElfFiles() {
        #expect(refusal([]) == PluginError(.notALibrary, "x.so", Self.notElf))
        #expect(refusal(Array("#!".utf8)) == PluginError(.notALibrary, "x.so", Self.notElf))
        let text = Array(repeating: UInt8(ascii: "a"), count: 5000)
        #expect(refusal(text) == PluginError(.notALibrary, "x.so", Self.notElf))
    }

    @Test("a file header that is cut off is called truncated")
    func aFileHeaderThatIsCutOffIsCalledTruncated() throws {
        let bytes = try plugin()
        for count in 4..<64 {
            #expect(
                refusal(Array(bytes[..<count]))?.message
                    == "truncated: the file header should end at byte 64, the file has \(count) "
                    + "bytes; build or copy it again"
            )
        }
    }

    @Test("a plugin cut off anywhere is refused as a damaged library")
    func aPluginCutOffAnywhereIsRefusedAsADamagedLibrary() throws {
        let bytes = try plugin()
        for count in stride(from: 64, to: bytes.count, by: 512) + [bytes.count - 1] {
            let error = refusal(Array(bytes[..<count]))
            #expect(error?.code == .notALibrary, "cut off at \(count)")
            #expect(error?.message.contains("\(count) bytes") == true, "\(error?.message ?? "-")")
        }
    }

    @Test("a plugin for another machine is refused with both names")
    func aPluginForAnotherMachineIsRefusedWithBothNames() throws {
        var bytes = try plugin()
        let own = bytes[18] == 62 ? "x86-64" : "aarch64"
        let names: [(UInt8, String)] = [
            (bytes[18] == 62 ? 183 : 62, own == "x86-64" ? "aarch64" : "x86-64"),
            (3, "x86 (32 bit)"), (40, "ARM (32 bit)"), (243, "RISC-V"), (21, "machine 21"),
        ]
        for (machine, name) in names {
            bytes[18] = machine
            #expect(
                refusal(bytes)?.message == "built for \(name), this machine is \(own); "
                    + "compile the plugin for this machine"
            )
        }
    }

    @Test("a 32-bit or big-endian file is refused")
    func a32BitOrBigEndianFileIsRefused() throws {
        for (offset, value) in [(4, UInt8(1)), (5, 2), (4, 0), (5, 0)] {
            var bytes = try plugin()
            bytes[offset] = value
            #expect(
                refusal(bytes)?.message
                    == "a 32-bit or big-endian ELF file; expected 64-bit little-endian"
            )
        }
    }

    @Test("an object file is not a shared object")
    func anObjectFileIsNotASharedObject() throws {
        var bytes = try plugin()
        bytes[16] = 1
        #expect(
            refusal(bytes)?.message
                == "not a shared object; link it with -shared (and compile with -fPIC)"
        )
    }

    @Test("an executable is not a shared object", arguments: [[], ["-no-pie"]])
    func anExecutableIsNotASharedObject(options: [String]) throws {
        let path = try TestPlugin.source(
            "program",
            "int main(void) { return 0; }\n",
            isShared: false,
            options: options
        )
        let message = refusal(try PluginWorld.bytes(path))?.message
        #expect(
            message
                == (options.isEmpty
                    ? "an executable; expected a shared library: link it with -shared"
                    : "not a shared object; link it with -shared (and compile with -fPIC)")
        )
    }

    @Test("a library without a dynamic section is refused")
    func aLibraryWithoutADynamicSectionIsRefused() throws {
        var bytes = try plugin()
        for header in headers(of: bytes) where bytes[header] == 2 { bytes[header] = 0 }
        #expect(refusal(bytes)?.message == "no dynamic section; link it with -shared")
    }

    @Test("program headers that make no sense are refused")
    func programHeadersThatMakeNoSenseAreRefused() throws {
        for (offset, value) in [(54, UInt8(57)), (56, 0), (57, 4)] {
            var bytes = try plugin()
            bytes[offset] = value
            #expect(refusal(bytes)?.message == "its program headers make no sense")
        }
    }

    @Test("program headers behind the end of the file are called truncated")
    func programHeadersBehindTheEndOfTheFileAreCalledTruncated() throws {
        let good = try plugin()
        let byteCount = Int(good[56]) * 56
        var bytes = good
        bytes[36] = 1
        #expect(
            refusal(bytes)?.message
                == "truncated: its program headers should end at byte "
                + "\(1 << 32 + 64 + byteCount), the file has \(bytes.count) bytes; "
                + "build or copy it again"
        )
        for index in 32..<40 { bytes[index] = 0xff }
        #expect(
            refusal(bytes)?.message
                == "truncated: its program headers should end at byte \(UInt64.max), "
                + "the file has \(bytes.count) bytes; build or copy it again"
        )
    }

    @Test("a segment whose end overflows is called truncated")
    func aSegmentWhoseEndOverflowsIsCalledTruncated() throws {
        var bytes = try plugin()
        let header = try #require(headers(of: bytes).first { bytes[$0] == 1 })
        for index in 8..<16 { bytes[header + index] = 0xff }
        #expect(
            refusal(bytes)?.message
                == "truncated: a segment should end at byte \(UInt64.max), the file has "
                + "\(bytes.count) bytes; build or copy it again"
        )
    }

    @Test("no spoilt byte of a header or of the dynamic section does harm")
    func noSpoiltByteOfAHeaderOrOfTheDynamicSectionDoesHarm() throws {
        let good = try plugin()
        var offsets = Array(0..<64)
        for header in headers(of: good) {
            offsets += header..<header + 56
            if good[header] == 2 {
                let start = integer(good, header + 8)
                offsets += start..<start + integer(good, header + 32)
            }
        }
        for offset in offsets {
            for mask in [0x01, 0x80, 0xff] as [UInt8] {
                var bytes = good
                bytes[offset] ^= mask
                // Whatever it says, it must return; what it throws is a PluginError by type.
                if let error = refusal(bytes) { #expect(!error.message.isEmpty) }
            }
        }
    }

    private func headers(of bytes: [UInt8]) -> [Int] {
        let first = integer(bytes, 32)
        return (0..<Int(bytes[56])).map { first + $0 * 56 }
    }

    private func integer(_ bytes: [UInt8], _ offset: Int) -> Int {
        bytes[offset..<offset + 8].reversed().reduce(0) { $0 << 8 | Int($1) }
    }
}
