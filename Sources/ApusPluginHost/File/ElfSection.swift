/// What a section header says; a library without them is complete all the same.
struct ElfSection {
    let name: String
    let kind: UInt32
    /// Where its bytes are; empty for one that has none.
    let range: Range<Int>
    let alignment: UInt64

    /// A section of notes.
    static let note: UInt32 = 7
    /// A section without bytes in the file.
    private static let noBytes: UInt32 = 8
    private static let headerByteCount = 64
    private static let countMax = 1 << 16

    /// Reads all section headers of a file, and checks that each section lies inside of it.
    static func readAll(_ bytes: ElfBytes) throws(Finding) -> [ElfSection] {
        let start = try bytes.integer(at: 40, byteCount: 8)
        let size = try bytes.integer(at: 58, byteCount: 2)
        let count = try bytes.small(at: 60, byteCount: 2)
        try bytes.range(of: "its section headers", start: start, byteCount: size * UInt64(count))
        guard count > 0, start > 0 else { return [] }
        guard size == headerByteCount, count < countMax else {
            throw Finding.damaged(
                "A2",
                "its section headers make no sense; the file is damaged, build or copy it again",
                expected: "section headers of \(headerByteCount) bytes",
                found: "\(count) of \(size) bytes"
            )
        }
        var headers: [(name: Int, section: ElfSection)] = []
        for index in 0..<count {
            headers.append(try read(bytes, at: Int(start) + index * headerByteCount))
        }
        let names = try bytes.small(at: 62, byteCount: 2)
        guard headers.indices.contains(names) else { return headers.map(\.section) }
        let table = headers[names].section.range
        var sections: [ElfSection] = []
        for (name, section) in headers {
            // A name outside of the table is no reason to refuse: nothing is loaded by it.
            let text =
                name < table.count
                ? bytes.beginning(ofTextAt: table.lowerBound + name, byteCountMax: 64) : ""
            sections.append(
                ElfSection(
                    name: text,
                    kind: section.kind,
                    range: section.range,
                    alignment: section.alignment
                )
            )
        }
        return sections
    }

    private static func read(
        _ bytes: ElfBytes,
        at header: Int
    ) throws(Finding) -> (name: Int, section: ElfSection) {
        let name = try bytes.small(at: header, byteCount: 4)
        let kind = UInt32(try bytes.integer(at: header + 4, byteCount: 4))
        let start = try bytes.integer(at: header + 24, byteCount: 8)
        let byteCount = try bytes.integer(at: header + 32, byteCount: 8)
        let isEmpty = kind == 0 || kind == noBytes
        let range =
            isEmpty ? 0..<0 : try bytes.range(of: "a section", start: start, byteCount: byteCount)
        let section = ElfSection(
            name: "",
            kind: kind,
            range: range,
            alignment: try bytes.integer(at: header + 48, byteCount: 8)
        )
        return (name, section)
    }
}
