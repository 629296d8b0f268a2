import ApusTestPlugins
import Foundation
import Testing

@testable import ApusPluginHost

/// Goal: each thing that can be wrong with a plugin's file is found without running it, and said
/// with what was expected, what was found, and how to mend it.
///
/// Method: small libraries compiled with one thing wrong.
@Suite("Plugin files: checks")
struct FileReportTests {
    private static let entry = """
        #define EXPORT __attribute__((visibility("default")))
        EXPORT const void *apus_plugin_v0(const void *host, void *error);
        const void *apus_plugin_v0(const void *host, void *error) {
            (void)host, (void)error;
            return 0;
        }

        """

    private func report(
        _ name: String,
        _ more: String = "",
        options: [String] = [],
        entry: String = Self.entry,
        allowed: Set<String> = [],
        change: (inout HostFacts) -> Void = { _ in },
        edit: (inout [UInt8]) -> Void = { _ in }
    ) throws -> FileReport {
        let path = try TestPlugin.source("check-\(name)", entry + more, options: options)
        var bytes = try PluginWorld.bytes(path)
        edit(&bytes)
        var host = HostFacts.current
        change(&host)
        return FileReport.make(
            bytes,
            file: "x.so",
            sha256: "",
            allowedLibraries: allowed,
            host: host
        )
    }

    /// What a check found, as "severity: message"; without the missing note.
    private func messages(_ report: FileReport, _ check: String) -> [String] {
        report.findings.filter { $0.check == check }.map { "\($0.severity): \($0.message)" }
    }

    // MARK: - A3, the note

    /// A note in assembly, field by field.
    private func note(
        major: Int = 0,
        minor: Int = 2,
        floor: Int = 1,
        language: Int = 1,
        flags: Int = 0,
        layout: String = ".zero 16",
        size: Int = 64,
        padding: Int = 28
    ) -> String {
        """
        __asm__(".pushsection .note.apus,\\"a\\",@note\\n.p2align 2\\n"
            ".long 5, 2f-1f, 1\\n.asciz \\"Apus\\"\\n.p2align 2\\n1:\\n"
            ".long \(size)\\n.short \(major), \(minor), \(floor), \(language)\\n"
            ".long 0x10203, \(flags)\\n\(layout)\\n.zero \(padding)\\n2:\\n.popsection\\n");

        """
    }

    @Test("a note is read, and is no reason for a word")
    func goodNote() throws {
        let report = try report("note", note(minor: 1, language: 4), change: { $0.layouts = [:] })
        #expect(report.findings.isEmpty, "\(report.findings)")
        let note = report.contents?.note
        #expect(note?.abi == "0.1")
        #expect(note?.language == "Rust")
        #expect(note?.sdk == "1.2.3")
        #expect(note?.minorFloor == 1)
        #expect(note?.layout == String(repeating: "0", count: 32))
        #expect(report.contents?.language == "Rust")
    }

    @Test("no note is a warning, and in strict mode a refusal")
    func noNote() throws {
        let report = try report("bare")
        #expect(
            messages(report, "A3") == [
                "warn: it has no note .note.apus, as plugins of ABI 0.1 and 0.2: expected a note "
                    + "of 64 bytes, found none; compile it with this version's headers, and "
                    + "write APUS_PLUGIN_NOTE in one source file"
            ]
        )
        #expect(report.refusal() == nil)
        #expect(report.refusal(strictly: true)?.check == "A3")
    }

    @Test("a note for another major version")
    func otherMajor() throws {
        let report = try report("major", note(major: 2))
        #expect(
            messages(report, "A3") == [
                "refuse: made for another major version of the ABI: expected 0.x, found 2.2; "
                    + "compile it with this version's headers"
            ]
        )
        #expect(report.refusal()?.code == .incompatible)
    }

    @Test("a floor above this host")
    func highFloor() throws {
        let report = try report("floor", note(minor: 9, floor: 9), change: { $0.minor = 4 })
        #expect(
            messages(report, "A3") == [
                "refuse: needs a newer host: expected ABI 0.4 or older to be enough, found that "
                    + "it needs 0.9 or newer; update Apus, or compile the plugin with a lower "
                    + "APUS_ABI_MINOR_FLOOR"
            ]
        )
    }

    @Test("a newer minor with a floor that is low enough is told, and loaded")
    func newerMinor() throws {
        let report = try report("newer", note(minor: 9), change: { $0.minor = 4 })
        #expect(report.refusal(strictly: true) == nil)
        #expect(messages(report, "A3").first?.contains("expected 0.4 or older, found 0.9") == true)
    }

    @Test("a layout that is not that of its version")
    func otherLayout() throws {
        let own = [UInt8](repeating: 0xab, count: 16)
        let other = note(minor: 2, layout: ".fill 16, 1, 0xcd")
        let report = try report("layout", other, change: { $0.layouts = [2: own] })
        #expect(
            messages(report, "A3") == [
                "refuse: the structs of its headers are not those of ABI 0.2: expected layout "
                    + "abababababababababababababababab, found layout "
                    + "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd; compile it with unchanged headers of a "
                    + "released version"
            ]
        )
        let right = note(minor: 2, layout: ".fill 16, 1, 0xab")
        let good = try self.report("layout", right, change: { $0.layouts = [2: own] })
        #expect(good.findings.isEmpty)
    }

    @Test("a note of the wrong size", arguments: [(48, 28), (64, 12), (64, 60)])
    func wrongSize(size: Int, padding: Int) throws {
        let report = try report("size", note(size: size, padding: padding))
        #expect(
            messages(report, "A3") == [
                "refuse: its note .note.apus has the wrong size: expected 64 bytes that say so, "
                    + "found \(36 + padding) bytes that say \(size); write it with "
                    + "APUS_PLUGIN_NOTE of apus/note.h"
            ]
        )
    }

    @Test("a note that reaches out of its segment")
    func noteOutside() throws {
        let report = try report(
            "outside",
            note(),
            edit: { bytes in
                let name = Array("Apus\0".utf8)
                let at = bytes.indices.first { bytes[$0...].starts(with: name) } ?? 0
                bytes[at - 8] = 0xff
                bytes[at - 7] = 0xff
            }
        )
        let finding = try #require(report.refusal())
        #expect(finding.check == "A3")
        #expect(finding.message.hasPrefix("a note of 65535 bytes reaches out of its segment"))
    }

    @Test("two notes that differ are refused, two equal ones are not")
    func twoNotes() throws {
        let report = try report("two", note(language: 1) + note(language: 3))
        #expect(
            messages(report, "A3").first?.hasPrefix(
                "refuse: it has two notes .note.apus that differ: expected one, or all the same, "
                    + "found ABI 0.2 of C, layout 00000000000000000000000000000000, and ABI 0.2 "
                    + "of Swift, layout"
            ) == true
        )
        let equal = try self.report("twice", note() + note(), change: { $0.layouts = [:] })
        #expect(equal.findings.isEmpty)
    }

    @Test("a plugin that wants isolation is a warning; an unknown language is told")
    func flags() throws {
        let report = try report("flags", note(language: 77, flags: 3), change: { $0.layouts = [:] })
        #expect(report.contents?.note?.isOneRuntime == true)
        #expect(report.contents?.residency == [.oneRuntime])
        #expect(
            messages(report, "A3").map { $0.prefix(40) } == [
                "warn: it wants a process of its own: exp",
                "info: its note names a language that thi",
            ]
        )
    }

    // MARK: - A4, exports

    @Test("an export beside the entry is a warning")
    func export() throws {
        let more = "EXPORT int helper(void);\nint helper(void) { return 1; }\n"
        #expect(
            messages(try report("export", more), "A4") == [
                "warn: it exports more than its entry function: expected apus_plugin_v0 alone, "
                    + "found helper; compile it with -fvisibility=hidden and link it with "
                    + "-Wl,--version-script=sdk/c/plugin.map"
            ]
        )
    }

    @Test("a name of the C library is refused", arguments: ["open", "malloc", "close", "main"])
    func takenName(name: String) throws {
        let more = "EXPORT int \(name)(void);\nint \(name)(void) { return 1; }\n"
        let report = try report("taken", more, options: ["-fno-builtin"])
        let finding = try #require(report.refusal())
        #expect(finding.check == "A4")
        #expect(finding.code == .incompatible)
        #expect(finding.message.contains("names of the C or C++ library"), "\(finding.message)")
        #expect(finding.found == name)
    }

    @Test("operator new of one's own is refused")
    func operatorNew() throws {
        let more =
            "EXPORT void *_Znwm(unsigned long n);\nvoid *_Znwm(unsigned long n) "
            + "{ return (void *)n; }\n"
        #expect(try report("new", more).refusal()?.found == "operator new (_Znwm)")
    }

    @Test("two entry functions are refused, and so is one that is a variable")
    func entries() throws {
        let two = "EXPORT int apus_plugin_v7(void);\nint apus_plugin_v7(void) { return 7; }\n"
        #expect(
            messages(try report("entries", two), "A4") == [
                "refuse: more than one entry function: expected apus_plugin_v0 alone, found "
                    + "apus_plugin_v0, apus_plugin_v7; export one entry function; build a "
                    + "library for each major version"
            ]
        )
        let variable = "__attribute__((visibility(\"default\"))) int apus_plugin_v0 = 1;\n"
        let finding = try report("variable", entry: variable).refusal()
        #expect(finding?.code == .notAPlugin)
        #expect(
            finding?.message == "apus_plugin_v0 is no function: expected a function, found a "
                + "variable; define it as apus/entry.h declares it"
        )
    }

    // MARK: - A5 to A9, linking

    @Test("unique objects are a warning, and keep a plugin loaded")
    func unique() throws {
        let more = """
            __asm__(".data\\nshared_by_all: .long 1\\n"
                ".type shared_by_all, @gnu_unique_object\\n"
                ".size shared_by_all, 4\\n.text\\n");

            """
        let report = try report("unique", more)
        #expect(messages(report, "A5").first?.contains("found shared_by_all;") == true)
        #expect(report.contents?.uniqueObjects == ["shared_by_all"])
        #expect(report.contents?.residency == [.uniqueObjects])
    }

    private func threadLocal(_ byteCount: Int) -> String {
        """
        __thread char room[\(byteCount)] __attribute__((tls_model("initial-exec")));
        EXPORT char *first(void);
        char *first(void) { return room; }

        """
    }

    @Test("static thread-local variables: a little is a warning, much is refused")
    func staticThreadLocals() throws {
        let little = try report("tls", threadLocal(16))
        #expect(messages(little, "A6").first?.hasPrefix("warn: its thread-local") == true)
        #expect(little.contents?.residency == [.staticThreadLocals])
        let much = try report("tls", threadLocal(4096))
        #expect(much.refusal()?.check == "A6")
        #expect(much.refusal()?.found == "4096 bytes")
        #expect(much.refusal()?.expected.hasPrefix("at most 512 bytes") == true)
    }

    @Test("ordinary thread-local variables are told with their size")
    func threadLocals() throws {
        let more =
            "static __thread char room[100];\nEXPORT char *first(void);\n"
            + "char *first(void) { return room; }\n"
        let report = try report("dynamic-tls", more)
        #expect(report.contents?.threadLocalByteCount ?? 0 >= 100)
        #expect(messages(report, "A6").first?.hasPrefix("info: ") == true)
        #expect(report.contents?.residency == [])
    }

    @Test("a library that is not usual is a warning, unless it is allowed")
    func needed() throws {
        let options = ["-Wl,--no-as-needed", "-lz"]
        let report = try report("needed", options: options)
        #expect(messages(report, "A7").first?.contains("found libz.so.1; link them") == true)
        #expect(report.refusal() == nil)
        let allowed = try self.report("needed", options: options, allowed: ["libz.so.1"])
        #expect(messages(allowed, "A7").isEmpty)
        let usual = try self.report("usual", options: ["-Wl,--no-as-needed", "-lm", "-lstdc++"])
        #expect(messages(usual, "A7").isEmpty)
        #expect(usual.contents?.language == "C++")
    }

    @Test("a version of the C library that is not here is refused by its name")
    func newerLibrary() throws {
        let report = try report(
            "glibc",
            "#include <string.h>\nEXPORT void *copy(void *, void *, unsigned long);\n"
                + "void *copy(void *a, void *b, unsigned long n) { return memcpy(a, b, n); }\n",
            change: { $0.glibc = GlibcVersion("2.3") }
        )
        let finding = try #require(report.refusal())
        #expect(finding.check == "A8")
        #expect(finding.code == .notLoadable)
        #expect(finding.expected == "at most GLIBC_2.3, which this machine has")
        #expect(finding.found.hasPrefix("that it needs GLIBC_2."))
    }

    @Test("where libraries are looked for")
    func searchPaths() throws {
        func found(_ path: String) throws -> String? {
            messages(try report("rpath", options: ["-Wl,-rpath,\(path)"]), "A9").first
        }
        #expect(try found("$ORIGIN/lib") == nil)
        #expect(try found("${ORIGIN}") == nil)
        #expect(try found("/opt/lib")?.hasPrefix("warn: ") == true)
        #expect(try found("/opt/lib")?.contains("found /opt/lib;") == true)
        #expect(try found("lib")?.hasPrefix("refuse: ") == true)
        #expect(try found("$ORIGINAL")?.hasPrefix("refuse: ") == true)
        #expect(try found("/opt/swift/usr/lib/swift/linux")?.hasPrefix("info: ") == true)
    }

    // MARK: - A10 to A13, memory and the rest

    @Test("an executable stack is refused")
    func executableStack() throws {
        let finding = try report("stack", options: ["-Wl,-z,execstack"]).refusal()
        #expect(finding?.check == "A10")
        #expect(finding?.found == "one with it")
        let none = try report(
            "no-stack",
            edit: { bytes in
                for at in stride(from: 64, to: 64 + 56 * Int(bytes[56]), by: 56)
                where bytes[at..<at + 4].elementsEqual([0x51, 0xe5, 0x74, 0x64]) {
                    bytes[at] = 0
                }
            }
        )
        #expect(none.refusal()?.found == "no such segment")
    }

    @Test("relocations in code are refused")
    func textRelocations() throws {
        let more = "int other;\n__asm__(\".text\\n.quad other\\n\");\n"
        let finding = try report("textrel", more, options: ["-Wl,-z,notext"]).refusal()
        #expect(finding?.check == "A10")
        #expect(finding?.message.hasPrefix("its code is written to when it is loaded") == true)
    }

    @Test("tables that stay writable are a warning, and nodlopen is refused")
    func otherFlags() throws {
        let writable = try report("norelro", options: ["-Wl,-z,norelro"])
        #expect(messages(writable, "A10").first?.hasPrefix("warn: its tables") == true)
        #expect(writable.contents?.hasReadOnlyTables == false)
        let closed = try report("nodlopen", options: ["-Wl,-z,nodlopen"])
        #expect(closed.refusal()?.found == "the flag NOOPEN")
        let kept = try report("nodelete", options: ["-Wl,-z,nodelete", "-Wl,-z,now"])
        #expect(kept.contents?.residency == [.noDelete])
        #expect(kept.contents?.bindsAtOnce == true)
    }

    #if arch(x86_64)
    @Test("a processor that this machine is not")
    func processor() throws {
        let more = """
            __asm__(".pushsection .note.gnu.property,\\"a\\",@note\\n.p2align 3\\n"
                ".long 4, 16, 5\\n.asciz \\"GNU\\"\\n"
                ".long 0xc0008002, 4, 12, 0\\n.popsection\\n");

            """
        let report = try report("isa", more, change: { $0.isaLevels = 3 })
        let finding = try #require(report.refusal())
        #expect(finding.check == "A11")
        #expect(
            finding.message == "built for a newer processor: expected at most x86-64-v2, which "
                + "this machine is, found that it needs x86-64-v4; compile it with "
                + "-march=x86-64-v2"
        )
        let able = try self.report("isa", more, change: { $0.isaLevels = 15 })
        #expect(messages(able, "A11").isEmpty)
        #expect(able.contents?.processor == "x86-64-v4")
    }
    #endif

    @Test("neither build id nor debug information is a warning")
    func identity() throws {
        let bare = try report("anonymous", options: ["-g0", "-Wl,--build-id=none"])
        #expect(messages(bare, "A12").first?.hasPrefix("warn: ") == true)
        let named = try report("named", options: ["-g0", "-Wl,--build-id=0xabcdef"])
        #expect(messages(named, "A12").isEmpty)
        #expect(named.contents?.buildID == "abcdef")
    }

    @Test("constructors of one's own are counted")
    func constructors() throws {
        let more =
            "static volatile int n;\n"
            + "__attribute__((constructor)) static void a(void) { n = 1; }\n"
            + "__attribute__((constructor)) static void b(void) { n = 2; }\n"
        let usual = try self.report("bare").contents?.constructorCount ?? 0
        let report = try self.report("constructors", more)
        #expect(report.contents?.constructorCount == usual + 2)
        #expect(messages(report, "A13").first?.contains("found \(usual + 2)") == true)
        #expect(messages(try self.report("bare"), "A13").isEmpty)
    }

    @Test("what keeps a plugin loaded is found in its imports")
    func residency() throws {
        let more =
            "#include <pthread.h>\nEXPORT int key(pthread_key_t *);\n"
            + "int key(pthread_key_t *k) { return pthread_key_create(k, 0); }\n"
        let report = try report("key", more)
        #expect(report.contents?.residency == [.threadDestructors])
        #expect(report.contents?.notableImports == ["pthread_key_create"])
    }
}
