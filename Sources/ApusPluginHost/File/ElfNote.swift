/// A note: bytes that a file carries for somebody, and that are never code.
struct ElfNote {
    /// For whom: "GNU", "Apus", "Go".
    let owner: String
    /// What kind of note, in the owner's counting.
    let kind: Int
    /// Where its content is in the file.
    let range: Range<Int>

    private static let headerByteCount = 12
    private static let countMax = 4096

    private static let tooMany = Finding.damaged(
        "A2",
        "it has more than \(countMax) notes; the file is damaged",
        expected: "at most \(countMax)",
        found: "more"
    )

    /// Reads the notes of all segments and sections of notes.
    ///
    /// - Throws: ``Finding`` when a note reaches out of its segment.
    static func readAll(_ file: ElfFile) throws(Finding) -> [ElfNote] {
        var places: [(range: Range<Int>, alignment: UInt64)] = []
        for segment in file.segments where segment.kind == ElfSegment.Kind.note {
            let start = Int(segment.offset)
            places.append((start..<start + Int(segment.fileByteCount), segment.alignment))
        }
        for section in file.sections where section.kind == ElfSection.note {
            // Those of a segment were read with it.
            if places.contains(where: { $0.range.contains(section.range.lowerBound) }) { continue }
            places.append((section.range, section.alignment))
        }
        var notes: [ElfNote] = []
        for place in places {
            notes += try read(file.bytes, place.range, alignment: place.alignment == 8 ? 8 : 4)
            guard notes.count <= countMax else { throw tooMany }
        }
        return notes
    }

    private static func read(
        _ bytes: ElfBytes,
        _ range: Range<Int>,
        alignment: Int
    ) throws(Finding) -> [ElfNote] {
        var notes: [ElfNote] = []
        var at = range.lowerBound
        while range.upperBound - at >= headerByteCount {
            guard notes.count <= countMax else { throw tooMany }
            let nameByteCount = try bytes.small(at: at, byteCount: 4)
            let byteCount = try bytes.small(at: at + 4, byteCount: 4)
            let kind = try bytes.small(at: at + 8, byteCount: 4)
            let name = at + headerByteCount
            let start =
                range.lowerBound
                + align(name + nameByteCount - range.lowerBound, to: alignment)
            guard start + byteCount <= range.upperBound else {
                throw Finding.damaged(
                    "A3",
                    "a note of \(byteCount) bytes reaches out of its segment; the file is "
                        + "damaged, build or copy it again",
                    expected: "notes inside of their segment, which ends at \(range.upperBound)",
                    found: "one that ends at \(start + byteCount)"
                )
            }
            let owner = bytes.slice(name..<name + nameByteCount).prefix { $0 != 0 }
            notes.append(
                ElfNote(
                    owner: String(decoding: owner, as: UTF8.self),
                    kind: kind,
                    range: start..<start + byteCount
                )
            )
            at = range.lowerBound + align(start + byteCount - range.lowerBound, to: alignment)
        }
        return notes
    }

    private static func align(_ offset: Int, to alignment: Int) -> Int {
        (offset + alignment - 1) / alignment * alignment
    }
}
