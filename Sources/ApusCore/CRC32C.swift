/// CRC-32C (Castagnoli): finds damage in blocks; polynomial 0x1EDC6F41, reflected, as in RFC 3720.
package enum CRC32C {
    /// Eight tables: byte i of a word that is 7 - i bytes from the end of it.
    private static let tables: [UInt32] = {
        var tables = [UInt32](repeating: 0, count: 8 * 256)
        for byte in 0..<256 {
            var value = UInt32(byte)
            for _ in 0..<8 { value = value & 1 == 0 ? value >> 1 : value >> 1 ^ 0x82f6_3b78 }
            tables[byte] = value
        }
        for index in 256..<8 * 256 {
            let before = tables[index - 256]
            tables[index] = before >> 8 ^ tables[Int(before & 0xff)]
        }
        return tables
    }()

    /// The sum of some bytes.
    package static func of(_ bytes: [UInt8]) -> UInt32 {
        var sum = UInt32.max
        let tables = tables
        var at = 0
        while bytes.count - at >= 8 {
            let low =
                sum
                ^ (UInt32(bytes[at]) | UInt32(bytes[at + 1]) << 8
                    | UInt32(bytes[at + 2]) << 16 | UInt32(bytes[at + 3]) << 24)
            sum =
                tables[7 * 256 + Int(low & 0xff)] ^ tables[6 * 256 + Int(low >> 8 & 0xff)]
                ^ tables[5 * 256 + Int(low >> 16 & 0xff)] ^ tables[4 * 256 + Int(low >> 24)]
                ^ tables[3 * 256 + Int(bytes[at + 4])] ^ tables[2 * 256 + Int(bytes[at + 5])]
                ^ tables[256 + Int(bytes[at + 6])] ^ tables[Int(bytes[at + 7])]
            at += 8
        }
        while at < bytes.count {
            sum = sum >> 8 ^ tables[Int((sum ^ UInt32(bytes[at])) & 0xff)]
            at += 1
        }
        return ~sum
    }
}
