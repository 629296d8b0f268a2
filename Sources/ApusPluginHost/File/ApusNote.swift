/// What a plugin's file says of itself in `.note.apus`, which is read before any code of it runs.
///
/// The descriptor of an ELF note with owner "Apus" and type 1; the header is `apus/note.h`.
///
///     offset  type    field
///          0  u32     size             64
///          4  u16     ABI major        of the headers it was compiled with
///          6  u16     ABI minor
///          8  u16     ABI minor floor  the oldest minor of a host that it runs on
///         10  u16     language         1 C, 2 C++, 3 Swift, 4 Rust, 5 Go, 6 Zig
///         12  u32     SDK version      major << 16 | minor << 8 | patch
///         16  u32     flags            1 one runtime, 2 needs isolation
///         20  u8[16]  layout id        of the structs of those headers
///         36  u8[28]  zero
struct ApusNote: Equatable {
    let major: Int
    let minor: Int
    let minorFloor: Int
    let language: Int
    let sdkVersion: Int
    let flags: Int
    let layoutID: [UInt8]

    static let owner = "Apus"
    static let kind = 1
    static let byteCount = 64
    /// From that minor on a plugin has a note.
    static let firstMinor = 3

    private static let oneRuntime = 1
    private static let needsIsolation = 2
    private static let layoutIDByteCount = 16

    /// Whether a process can hold one such library only, as with Go.
    var isOneRuntime: Bool { flags & Self.oneRuntime != 0 }
    /// Whether it wants a process of its own.
    var needsIsolation: Bool { flags & Self.needsIsolation != 0 }

    /// The ABI as text: "0.3".
    var abi: String { "\(major).\(minor)" }

    /// The SDK's version as text: "0.3.0".
    var sdk: String { "\(sdkVersion >> 16).\(sdkVersion >> 8 & 255).\(sdkVersion & 255)" }

    /// The layout id as hexadecimal digits.
    var layout: String { Hexadecimal.text(layoutID) }

    /// The language's name; nil for one that this host does not know.
    var languageName: String? {
        let names = ["C", "C++", "Swift", "Rust", "Go", "Zig"]
        return names.indices.contains(language - 1) ? names[language - 1] : nil
    }

    /// Reads the notes with the right owner and type.
    ///
    /// - Returns: The note; nil when there is none.
    /// - Throws: ``Finding`` when one has the wrong size, or two differ.
    static func read(_ file: ElfFile, _ notes: [ElfNote]) throws(Finding) -> ApusNote? {
        var found: ApusNote?
        for note in notes where note.owner == owner && note.kind == kind {
            let next = try ApusNote(file.bytes, note.range)
            if let first = found, first != next { throw Self.differing(first, next) }
            found = next
        }
        return found
    }

    private init(_ bytes: ElfBytes, _ range: Range<Int>) throws(Finding) {
        let size = range.count >= 4 ? try bytes.small(at: range.lowerBound, byteCount: 4) : 0
        guard range.count == Self.byteCount, size == Self.byteCount else {
            throw Finding(
                "A3",
                .refuse,
                "its note .note.apus has the wrong size",
                expected: "\(Self.byteCount) bytes that say so",
                found: "\(range.count) bytes that say \(size)",
                fix: "write it with APUS_PLUGIN_NOTE of apus/note.h",
                code: .incompatible
            )
        }
        let start = range.lowerBound
        major = try bytes.small(at: start + 4, byteCount: 2)
        minor = try bytes.small(at: start + 6, byteCount: 2)
        minorFloor = try bytes.small(at: start + 8, byteCount: 2)
        language = try bytes.small(at: start + 10, byteCount: 2)
        sdkVersion = try bytes.small(at: start + 12, byteCount: 4)
        flags = try bytes.small(at: start + 16, byteCount: 4)
        layoutID = Array(bytes.slice(start + 20..<start + 20 + Self.layoutIDByteCount))
    }

    private static func differing(_ first: ApusNote, _ second: ApusNote) -> Finding {
        Finding(
            "A3",
            .refuse,
            "it has two notes .note.apus that differ",
            expected: "one, or all the same",
            found: "ABI \(first.abi) of \(first.languageName ?? "an unknown language"), layout "
                + "\(first.layout), and ABI \(second.abi) of "
                + "\(second.languageName ?? "an unknown language"), layout \(second.layout)",
            fix: "write APUS_PLUGIN_NOTE in one source file, and compile all of them with the "
                + "same headers",
            code: .incompatible
        )
    }
}
