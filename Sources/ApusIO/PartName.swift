/// The name of a part: `part-<subtask>-<number, 20 digits>.jsonl`.
struct PartName: Equatable {
    private static let prefix = "part-"
    private static let suffix = ".jsonl"
    private static let temporarySuffix = ".tmp"
    private static let digitCount = 20

    let subtask: Int
    let number: UInt64

    /// Names the part of a subtask.
    init(subtask: Int, number: UInt64) {
        self.subtask = subtask
        self.number = number
    }

    /// Reads a name; nil when it is not a part's.
    init?(_ text: String) {
        guard text.hasPrefix(Self.prefix), text.hasSuffix(Self.suffix) else { return nil }
        self.init(stem: text.dropFirst(Self.prefix.count).dropLast(Self.suffix.count))
    }

    private init?(stem: Substring) {
        let fields = stem.split(separator: "-", omittingEmptySubsequences: false)
        guard fields.count == 2, fields[1].count == Self.digitCount,
            stem.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == 0x2d }),
            let subtask = Int(fields[0]), let number = UInt64(fields[1])
        else { return nil }
        self.init(subtask: subtask, number: number)
    }

    /// Whether a file in the folder is a part, or was to become one.
    static func isOurs(_ name: String) -> Bool {
        if PartName(name) != nil { return true }
        guard name.hasPrefix("." + prefix), name.hasSuffix(temporarySuffix) else { return false }
        return PartName(
            stem: name.dropFirst(prefix.count + 1).dropLast(temporarySuffix.count)
        ) != nil
    }

    private var stem: String { "\(Self.prefix)\(subtask)-\(number.padded)" }

    /// The name.
    var text: String { stem + Self.suffix }

    /// The name while it is written.
    var temporaryText: String { "." + stem + Self.temporarySuffix }
}
