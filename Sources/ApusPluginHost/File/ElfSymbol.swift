/// A dynamic symbol: what the file defines for others, or wants from them.
struct ElfSymbol: Equatable {
    /// How it is bound.
    enum Binding {
        static let local = 0
        static let unique = 10
    }
    /// What it is.
    enum Kind {
        static let data = 1
        static let function = 2
        static let indirectFunction = 10
    }

    let name: String
    let binding: Int
    let kind: Int
    let isDefined: Bool

    /// Whether others can see it.
    var isExported: Bool { isDefined && binding != Binding.local }

    private static let byteCount = 24
    private static let countMax = 1 << 20
    /// All names together; hostile tables let a million names share the same long text.
    private static let nameByteCountMax = 64 << 20
    /// The section of what is in none, such as names of versions.
    private static let absolute = 0xfff1

    /// Reads the dynamic symbols.
    ///
    /// - Throws: ``Finding`` when a table lies outside of the file.
    static func readAll(_ file: ElfFile, _ dynamic: ElfDynamic) throws(Finding) -> [ElfSymbol] {
        guard let table = dynamic.value(ElfDynamic.Tag.symbols) else { return [] }
        let start = try file.fileOffset(of: table)
        let count = min(try readCount(file, dynamic), countMax)
        _ = try file.fileOffset(of: table, byteCount: UInt64(max(1, count) * byteCount))
        var symbols: [ElfSymbol] = []
        symbols.reserveCapacity(count)
        var nameByteCount = 0
        for index in 0..<count {
            let at = start + index * byteCount
            let info = try file.bytes.small(at: at + 4, byteCount: 1)
            let section = try file.bytes.small(at: at + 6, byteCount: 2)
            let name = try dynamic.string(try file.bytes.integer(at: at, byteCount: 4))
            nameByteCount += name.utf8.count
            guard nameByteCount <= nameByteCountMax else { throw tooLong }
            symbols.append(
                ElfSymbol(
                    name: name,
                    binding: info >> 4,
                    kind: info & 15,
                    isDefined: section != 0 && section != absolute
                )
            )
        }
        return symbols
    }

    private static let tooLong = Finding.damaged(
        "A2",
        "the names of its symbols are longer than \(nameByteCountMax) bytes together; the file "
            + "is damaged",
        expected: "at most \(nameByteCountMax) bytes",
        found: "more"
    )

    private static func readCount(
        _ file: ElfFile,
        _ dynamic: ElfDynamic
    ) throws(Finding) -> Int {
        if let hash = dynamic.value(ElfDynamic.Tag.hash) {
            return try file.bytes.small(
                at: try file.fileOffset(of: hash, byteCount: 8) + 4,
                byteCount: 4
            )
        }
        guard let hash = dynamic.value(ElfDynamic.Tag.gnuHash) else {
            throw Finding.damaged(
                "A2",
                "no hash table of its symbols",
                expected: "a hash table of its symbols",
                found: "none",
                fix: "link it with -shared"
            )
        }
        return try count(file, gnuHashOffset: try file.fileOffset(of: hash, byteCount: 16))
    }

    /// The GNU hash table does not tell the number of symbols: the last chain's end does.
    private static func count(
        _ file: ElfFile,
        gnuHashOffset offset: Int
    ) throws(Finding) -> Int {
        let bytes = file.bytes
        let bucketCount = try bytes.small(at: offset, byteCount: 4)
        let first = try bytes.small(at: offset + 4, byteCount: 4)
        let bloomCount = try bytes.small(at: offset + 8, byteCount: 4)
        let buckets = offset + 16 + bloomCount * 8
        // One read behind the end, before as many as the file says.
        _ = try bytes.integer(at: buckets + max(0, bucketCount - 1) * 4, byteCount: 4)
        var last = 0
        for index in 0..<bucketCount {
            last = max(last, try bytes.small(at: buckets + index * 4, byteCount: 4))
        }
        guard last >= first else { return first }
        let chains = buckets + bucketCount * 4
        while try bytes.small(at: chains + (last - first) * 4, byteCount: 4) & 1 == 0 { last += 1 }
        return last + 1
    }
}
