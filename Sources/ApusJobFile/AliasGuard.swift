/// Refuses files whose aliases would make the YAML library work for ever.
///
/// The library hashes every key of a mapping before it hands out the tree. A key that is a list of
/// aliases of lists of aliases costs time in the power of their number, so a file with keys that
/// look like more than plain words may have only a few aliases. The check reads characters, not
/// YAML: text in quotes can look like such a key, and then only costs the file its further aliases.
enum AliasGuard {
    /// How many aliases a file with other keys than plain words may have.
    static let aliasCountMax = 8

    /// Whether the file may cost more than its size suggests.
    static func isSuspicious(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        var aliasCount = 0
        var hasComplexKey = false
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            switch byte {
            case UInt8(ascii: "?"):
                if index == bytes.count || isSpace(bytes[index]) { hasComplexKey = true }
            case UInt8(ascii: "]"), UInt8(ascii: "}"):
                if isFollowedByColon(bytes, index) { hasComplexKey = true }
            case UInt8(ascii: "*"):
                let start = index
                while index < bytes.count, isNameByte(bytes[index]) { index += 1 }
                guard index > start else { continue }
                aliasCount += 1
                if isFollowedByColon(bytes, index) { hasComplexKey = true }
            default:
                break
            }
        }
        return hasComplexKey && aliasCount > aliasCountMax
    }

    /// Whether the next byte that is no blank is a colon.
    private static func isFollowedByColon(_ bytes: [UInt8], _ start: Int) -> Bool {
        let next = bytes[start...].first { !isSpace($0) }
        return next == UInt8(ascii: ":")
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || (0x09...0x0D).contains(byte)
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
