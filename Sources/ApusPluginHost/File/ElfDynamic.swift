/// The dynamic section: what the file tells the dynamic linker.
struct ElfDynamic {
    /// The tags that are looked at.
    enum Tag {
        static let needed: UInt64 = 1
        static let jumpRelocationByteCount: UInt64 = 2
        static let hash: UInt64 = 4
        static let strings: UInt64 = 5
        static let symbols: UInt64 = 6
        static let relocations: UInt64 = 7
        static let relocationByteCount: UInt64 = 8
        static let stringByteCount: UInt64 = 10
        static let name: UInt64 = 14
        static let path: UInt64 = 15
        static let textRelocations: UInt64 = 22
        static let jumpRelocations: UInt64 = 23
        static let bindNow: UInt64 = 24
        static let initArray: UInt64 = 25
        static let finiArray: UInt64 = 26
        static let initByteCount: UInt64 = 27
        static let finiByteCount: UInt64 = 28
        static let runPath: UInt64 = 29
        static let flags: UInt64 = 30
        static let gnuHash: UInt64 = 0x6fff_fef5
        static let moreFlags: UInt64 = 0x6fff_fffb
        static let versionNeeds: UInt64 = 0x6fff_fffe
        static let versionNeedCount: UInt64 = 0x6fff_ffff
    }

    private let file: ElfFile
    private let entries: [(tag: UInt64, value: UInt64)]
    /// Where the names begin, and how many bytes they have.
    private let strings: (offset: Int, byteCount: UInt64)

    private static let entryByteCount: UInt64 = 16
    /// Some thirty are usual.
    private static let entryCountMax = 4096

    private static let tooLong = Finding.damaged(
        "A2",
        "its dynamic section has more than \(entryCountMax) entries; the file is damaged",
        expected: "at most \(entryCountMax) entries",
        found: "more"
    )

    /// Finds and reads the section, and checks that the tables it names lie inside of the file.
    ///
    /// - Throws: ``Finding`` when there is none, or one of its tables is not in the file.
    init(_ file: ElfFile) throws(Finding) {
        self.file = file
        guard let segment = file.segment(ElfSegment.Kind.dynamic) else {
            throw Self.missing("no dynamic section; link it with -shared", "no dynamic section")
        }
        var entries: [(tag: UInt64, value: UInt64)] = []
        let start = Int(segment.offset)
        for index in 0..<Int(segment.fileByteCount / Self.entryByteCount) {
            guard index < Self.entryCountMax else { throw Self.tooLong }
            let entry = start + index * Int(Self.entryByteCount)
            let tag = try file.bytes.integer(at: entry, byteCount: 8)
            if tag == 0 { break }
            entries.append((tag, try file.bytes.integer(at: entry + 8, byteCount: 8)))
        }
        self.entries = entries
        func value(_ tag: UInt64) -> UInt64? { entries.last { $0.tag == tag }?.value }
        // A position-independent executable looks like a shared object, but is not loadable.
        if (value(Tag.moreFlags) ?? 0) & 0x0800_0000 != 0 {
            throw Finding.damaged(
                "A1",
                "an executable; expected a shared library: link it with -shared",
                expected: "a shared library",
                found: "a position-independent executable",
                fix: "link it with -shared"
            )
        }
        guard let names = value(Tag.strings), value(Tag.symbols) != nil else {
            throw Self.missing("no dynamic symbols", "no dynamic symbols")
        }
        let byteCount = value(Tag.stringByteCount) ?? 1
        strings = (try file.fileOffset(of: names, byteCount: byteCount), byteCount)
        for (table, size) in Self.tables {
            guard let address = value(table), let bytes = value(size), bytes > 0 else { continue }
            _ = try file.fileOffset(of: address, byteCount: bytes)
        }
    }

    /// Tables that the dynamic linker reads, and the tags that say how long they are.
    private static let tables: [(UInt64, UInt64)] = [
        (Tag.relocations, Tag.relocationByteCount),
        (Tag.jumpRelocations, Tag.jumpRelocationByteCount),
        (Tag.initArray, Tag.initByteCount),
        (Tag.finiArray, Tag.finiByteCount),
    ]

    /// The value of a tag that there is at most one of; the dynamic linker takes the last.
    func value(_ tag: UInt64) -> UInt64? { entries.last { $0.tag == tag }?.value }

    /// The libraries that it needs.
    func needed() throws(Finding) -> [String] {
        var names: [String] = []
        for entry in entries where entry.tag == Tag.needed {
            names.append(try string(entry.value))
        }
        return names
    }

    /// Its own name; nil when it has none.
    func ownName() throws(Finding) -> String? {
        guard let offset = value(Tag.name) else { return nil }
        return try string(offset)
    }

    /// Where it wants its libraries to be looked for: RPATH and RUNPATH.
    func searchPaths() throws(Finding) -> [String] {
        var paths: [String] = []
        for tag in [Tag.path, Tag.runPath] {
            guard let offset = value(tag) else { continue }
            let text = try string(offset)
            paths += text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        }
        return paths
    }

    /// Whether a flag of DT_FLAGS is set.
    func has(flag: UInt64) -> Bool { (value(Tag.flags) ?? 0) & flag != 0 }

    /// Whether a flag of DT_FLAGS_1 is set.
    func has(moreFlag flag: UInt64) -> Bool { (value(Tag.moreFlags) ?? 0) & flag != 0 }

    /// How many functions run when the file is loaded.
    var constructorCount: Int { Int(clamping: (value(Tag.initByteCount) ?? 0) / 8) }

    /// How many functions run when it is unloaded.
    var destructorCount: Int { Int(clamping: (value(Tag.finiByteCount) ?? 0) / 8) }

    /// A name by its offset in the table of names.
    func string(_ offset: UInt64) throws(Finding) -> String {
        guard offset < strings.byteCount else {
            throw Finding.damaged(
                "A2",
                "a symbol's name lies outside of the file; the file is damaged",
                expected: "names inside of their table",
                found: "one at byte \(offset) of \(strings.byteCount)"
            )
        }
        return try file.bytes.text(at: strings.offset + Int(offset))
    }

    private static func missing(_ message: String, _ found: String) -> Finding {
        Finding.damaged(
            "A1",
            message,
            expected: "a shared library with dynamic symbols",
            found: found,
            fix: "link it with -shared"
        )
    }
}
