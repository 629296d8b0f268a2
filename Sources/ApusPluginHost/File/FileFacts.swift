/// All that a plugin's file tells without running: what the checks look at.
struct FileFacts {
    let file: ElfFile
    let dynamic: ElfDynamic
    let symbols: [ElfSymbol]
    let versions: [ElfVersionNeed]
    let needed: [String]
    let searchPaths: [String]
    let notes: [ElfNote]
    let note: ApusNote?
    let properties: GNUProperties

    /// Reads everything.
    ///
    /// - Throws: ``Finding`` for a file that is no library, or damaged.
    init(_ bytes: [UInt8]) throws(Finding) {
        file = try ElfFile(bytes)
        dynamic = try ElfDynamic(file)
        symbols = try ElfSymbol.readAll(file, dynamic)
        versions = try ElfVersionNeed.readAll(file, dynamic)
        needed = try dynamic.needed()
        searchPaths = try dynamic.searchPaths()
        notes = try ElfNote.readAll(file)
        note = try ApusNote.read(file, notes)
        properties = try GNUProperties(file, notes)
    }

    /// What linkers define in every library.
    private static let linkerNames: Set<String> = [
        "", "_init", "_fini", "_edata", "_end", "__bss_start",
    ]

    /// What others can see of it, each name once, sorted.
    var exports: [String] {
        Set(symbols.filter(\.isExported).map(\.name)).subtracting(Self.linkerNames).sorted()
    }

    /// The names that it wants from others.
    var imports: Set<String> { Set(symbols.filter { !$0.isDefined }.map(\.name)) }

    /// Objects of which a process has one only, whatever the scope; they keep a library in place.
    var uniqueNames: [String] {
        symbols.filter { $0.isDefined && $0.binding == ElfSymbol.Binding.unique }.map(\.name)
            .sorted()
    }

    /// The build id as hexadecimal digits; nil when there is none.
    var buildID: String? {
        notes.first { $0.owner == "GNU" && $0.kind == 3 }
            .map { Hexadecimal.text(file.bytes.slice($0.range)) }
    }

    /// The bytes of thread-local variables in each thread.
    var threadLocalByteCount: Int {
        Int(clamping: file.segment(ElfSegment.Kind.threadLocal)?.memoryByteCount ?? 0)
    }

    /// Whether its thread-local variables need room that is given out when the process starts.
    var needsStaticThreadLocals: Bool { dynamic.has(flag: 0x10) }

    /// Whether it asks never to be unloaded.
    var isNeverUnloaded: Bool { dynamic.has(moreFlag: 8) }

    // MARK: - Languages

    /// Whether it has code in Swift, and not merely links Swift's library as packages of C do.
    var isSwift: Bool {
        if file.sections.contains(where: { $0.name.hasPrefix("swift5_") && !$0.range.isEmpty }) {
            return true
        }
        return imports.contains { $0.hasPrefix("swift_") || $0.hasPrefix("$s") }
    }

    /// Whether it has Go's runtime.
    var isGo: Bool {
        file.section(".note.go.buildid") != nil || notes.contains { $0.owner == "Go" }
    }

    /// Whether a Rust compiler says that it made it.
    var isRust: Bool {
        guard let comment = file.section(".comment") else { return false }
        let text = String(decoding: file.bytes.slice(comment.range), as: UTF8.self)
        return text.contains("rustc version")
    }

    /// Whether it needs a library of C++.
    var isCXX: Bool {
        needed.contains { $0.hasPrefix("libstdc++.so") || $0.hasPrefix("libc++.so") }
    }

    /// The language, by the note if there is one, else by what the file shows.
    var language: String {
        if let name = note?.languageName { return name }
        if isGo { return "Go" }
        if isSwift { return "Swift" }
        if isRust { return "Rust" }
        return isCXX ? "C++" : "C"
    }
}
