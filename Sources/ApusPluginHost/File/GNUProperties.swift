/// What `.note.gnu.property` says: which processor the file needs.
struct GNUProperties {
    /// Bit 0 the baseline, bits 1 to 3 x86-64-v2 to v4; 0 when it does not say.
    private(set) var isaNeeded: UInt32 = 0

    private static let noteKind = 5
    private static let isaNeededKind = 0xc000_8002

    /// Reads the properties that are known here.
    init(_ file: ElfFile, _ notes: [ElfNote]) throws(Finding) {
        #if arch(x86_64)
        for note in notes where note.owner == "GNU" && note.kind == Self.noteKind {
            var at = note.range.lowerBound
            while note.range.upperBound - at >= 8 {
                let kind = try file.bytes.small(at: at, byteCount: 4)
                let byteCount = try file.bytes.small(at: at + 4, byteCount: 4)
                guard byteCount <= note.range.upperBound - at - 8 else { break }
                if kind == Self.isaNeededKind, byteCount == 4 {
                    isaNeeded |= UInt32(try file.bytes.integer(at: at + 8, byteCount: 4))
                }
                at += 8 + (byteCount + 7) / 8 * 8
            }
        }
        #endif
    }

    /// The highest of some levels by its name; nil for none.
    static func name(ofHighest levels: UInt32) -> String? {
        guard levels != 0 else { return nil }
        let highest = 32 - levels.leadingZeroBitCount
        return highest == 1 ? "x86-64" : "x86-64-v\(highest)"
    }
}
