/// A version of another library's symbols that the file needs: `GLIBC_2.34` of `libc.so.6`.
struct ElfVersionNeed: Equatable {
    let library: String
    let version: String

    private static let flagWeak = 2
    private static let countMax = 1 << 12

    private static let tooMany = Finding.damaged(
        "A2",
        "it needs more than \(countMax) versions of symbols; the file is damaged",
        expected: "at most \(countMax)",
        found: "more"
    )

    /// Reads what is needed; versions that may be missing are left out.
    ///
    /// - Throws: ``Finding`` when a table lies outside of the file.
    static func readAll(
        _ file: ElfFile,
        _ dynamic: ElfDynamic
    ) throws(Finding) -> [ElfVersionNeed] {
        guard let table = dynamic.value(ElfDynamic.Tag.versionNeeds) else { return [] }
        let count = Int(clamping: dynamic.value(ElfDynamic.Tag.versionNeedCount) ?? 0)
        var needs: [ElfVersionNeed] = []
        var at = try file.fileOffset(of: table, byteCount: 16)
        for _ in 0..<min(count, countMax) {
            let library = try dynamic.string(try file.bytes.integer(at: at + 4, byteCount: 4))
            let versionCount = min(try file.bytes.small(at: at + 2, byteCount: 2), countMax)
            var version = at + (try file.bytes.small(at: at + 8, byteCount: 4))
            for _ in 0..<versionCount {
                let flags = try file.bytes.small(at: version + 4, byteCount: 2)
                let name = try dynamic.string(
                    try file.bytes.integer(at: version + 8, byteCount: 4)
                )
                guard needs.count < countMax else { throw tooMany }
                if flags & flagWeak == 0 {
                    needs.append(ElfVersionNeed(library: library, version: name))
                }
                let next = try file.bytes.small(at: version + 12, byteCount: 4)
                if next == 0 { break }
                version += next
            }
            let next = try file.bytes.small(at: at + 12, byteCount: 4)
            if next == 0 { break }
            at += next
        }
        return needs
    }

    /// The version of glibc that this stands for; nil when it is something else's.
    var glibc: GlibcVersion? {
        // Compact relocations came with 2.36, and have a name instead of a number.
        if version == "GLIBC_ABI_DT_RELR" { return GlibcVersion(major: 2, minor: 36) }
        guard version.hasPrefix("GLIBC_") else { return nil }
        return GlibcVersion(version.dropFirst(6))
    }
}

/// A version of glibc: 2.36.
package struct GlibcVersion: Comparable, CustomStringConvertible, Sendable {
    let major: Int
    let minor: Int

    init(major: Int, minor: Int) {
        self.major = major
        self.minor = minor
    }

    /// Reads "2.36" or "2.2.5".
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ".")
        guard parts.count >= 2, let major = Int(parts[0]), let minor = Int(parts[1]) else {
            return nil
        }
        self.init(major: major, minor: minor)
    }

    /// The version as text.
    package var description: String { "\(major).\(minor)" }

    // doc: inherited
    package static func < (left: GlibcVersion, right: GlibcVersion) -> Bool {
        (left.major, left.minor) < (right.major, right.minor)
    }
}
