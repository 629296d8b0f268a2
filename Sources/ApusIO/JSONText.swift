/// Writes JSON strings.
enum JSONText {
    /// What each byte of a string takes: itself, a backslash and a letter, or `\u00xx`.
    ///
    /// - Returns: How many bytes more than its own the content of a string may take at most.
    static func escapeByteCountMax(_ content: ByteRange) -> Int {
        var count = 0
        for index in 0..<content.count {
            count &+= mustEscape(content[index]) ? 1 : 0
        }
        return count * 5
    }

    /// Writes the content of a string with what must be escaped escaped.
    ///
    /// - Parameters:
    ///   - content: Valid UTF-8.
    ///   - target: Has room for the content and ``escapeByteCountMax(_:)`` more bytes.
    /// - Returns: The position behind what was written.
    static func write(
        _ content: ByteRange,
        to target: UnsafeMutablePointer<UInt8>
    ) -> UnsafeMutablePointer<UInt8> {
        // SAFETY: each byte writes at most six, which the caller has made room for.
        var target = target
        for index in 0..<content.count {
            let byte = content[index]
            guard mustEscape(byte) else {
                target.pointee = byte
                target += 1
                continue
            }
            target = writeEscape(of: byte, to: target)
        }
        return target
    }

    /// Appends a whole string, with its quotes.
    static func append(_ string: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        var escaped: (UInt64, UInt64) = (0, 0)
        for byte in string.utf8 {
            guard mustEscape(byte) else {
                bytes.append(byte)
                continue
            }
            // SAFETY: an escape has at most six of the sixteen bytes.
            withUnsafeMutableBytes(of: &escaped) { room in
                guard let start = room.baseAddress?.assumingMemoryBound(to: UInt8.self) else {
                    return
                }
                let end = writeEscape(of: byte, to: start)
                bytes.append(contentsOf: room[..<(end - start)])
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    @inline(__always)
    private static func mustEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    private static func writeEscape(
        of byte: UInt8,
        to target: UnsafeMutablePointer<UInt8>
    ) -> UnsafeMutablePointer<UInt8> {
        target[0] = UInt8(ascii: "\\")
        switch byte {
        case UInt8(ascii: "\n"): target[1] = UInt8(ascii: "n")
        case UInt8(ascii: "\r"): target[1] = UInt8(ascii: "r")
        case UInt8(ascii: "\t"): target[1] = UInt8(ascii: "t")
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): target[1] = byte
        default:
            target[1] = UInt8(ascii: "u")
            target[2] = UInt8(ascii: "0")
            target[3] = UInt8(ascii: "0")
            target[4] = UInt8(ascii: "0") + byte / 16
            let low = byte % 16
            target[5] = low < 10 ? UInt8(ascii: "0") + low : UInt8(ascii: "a") + low - 10
            return target + 6
        }
        return target + 2
    }
}
