/// How much memory a process has used; encodes as a part of what `apus bench --json` prints.
package struct MemoryFigures: Codable, Equatable, Sendable {
    /// The most that the process has ever held, pages of mapped files included.
    package var peakResidentBytes = 0
    /// The most that it held of its own, without files, whenever somebody looked.
    package var peakAnonymousBytes = 0
    /// What it holds of its own at the end.
    package var anonymousBytes = 0
    /// What it holds of mapped files at the end: the program, and the state database's files, which
    /// the system takes back when it needs the memory.
    package var fileBytes = 0

    private enum CodingKeys: String, CodingKey {
        case peakResidentBytes = "peak_rss_bytes"
        case peakAnonymousBytes = "peak_anonymous_rss_bytes"
        case anonymousBytes = "anonymous_rss_bytes"
        case fileBytes = "file_rss_bytes"
    }

    /// Creates figures of a process that nobody has looked at.
    package init() {}

    /// Looks at this process.
    mutating func look() {
        peakResidentBytes = ProcessFigures.byteCount("VmHWM")
        anonymousBytes = ProcessFigures.byteCount("RssAnon")
        fileBytes = ProcessFigures.byteCount("RssFile")
        peakAnonymousBytes = max(peakAnonymousBytes, anonymousBytes)
    }
}
