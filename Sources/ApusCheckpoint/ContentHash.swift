/// XXH3-128 of some bytes: names files by their content, and finds damage.
///
/// Against chance, not against an attacker.
package struct ContentHash: Hashable, Sendable, CustomStringConvertible {
    /// The high half, which comes first in text.
    let high: UInt64
    /// The low half.
    let low: UInt64

    /// 32 hexadecimal digits, as `xxh128sum` prints them.
    package var description: String { Self.digits(high) + Self.digits(low) }

    init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Reads 32 lower-case hexadecimal digits; nil for everything else.
    init?(_ text: some StringProtocol) {
        let digits = Array(text.utf8)
        guard digits.count == 32, digits.allSatisfy(Self.isDigit),
            let high = UInt64(String(decoding: digits[..<16], as: UTF8.self), radix: 16),
            let low = UInt64(String(decoding: digits[16...], as: UTF8.self), radix: 16)
        else { return nil }
        self.init(high: high, low: low)
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
    }

    private static func digits(_ half: UInt64) -> String {
        let text = String(half, radix: 16)
        return String(repeating: "0", count: 16 - text.count) + text
    }
}
