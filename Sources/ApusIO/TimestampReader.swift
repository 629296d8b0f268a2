import ApusCore

/// Reads the text of times.
///
/// Allocates nothing.
enum TimestampReader {
    /// 0001-01-01T00:00:00Z: what is earlier or later is taken for a wrong unit.
    private static let earliest: Int64 = -62_135_596_800_000_000
    /// 9999-12-31T23:59:59.999999Z.
    private static let latest: Int64 = 253_402_300_799_999_999

    /// The microseconds since 1970 that a text stands for; nil when it is no such time.
    static func microseconds(of text: ByteRange, unit: RecordParsing.TimeUnit) -> Int64? {
        let time =
            switch unit {
            case .seconds: decimal(text, fractionDigits: 6)
            case .milliseconds: decimal(text, fractionDigits: 3)
            case .microseconds: decimal(text, fractionDigits: 0)
            case .rfc3339: rfc3339(text)
            }
        guard let time, time >= earliest, time <= latest else { return nil }
        return time
    }

    /// The microseconds since 1970 of year, month, day, hour, minute and second in UTC.
    ///
    /// Nil when there is no such date or time.  Hour 24 is midnight of the next day.
    static func microseconds(
        ofParts parts: (Int64, Int64, Int64, Int64, Int64, Int64)
    ) -> Int64? {
        let time = CivilTime(
            year: parts.0,
            month: parts.1,
            day: parts.2,
            hour: parts.3,
            minute: parts.4,
            second: parts.5
        )
        guard time.isValid, time.hour < 24 || time.minute + time.second == 0 else { return nil }
        return time.microsecondsSinceEpoch
    }

    /// A whole number of at most nine digits, perhaps with blanks around it; nil for anything else.
    static func part(of text: ByteRange) -> Int64? {
        var index = 0
        var end = text.count
        while index < end, text[index] == UInt8(ascii: " ") { index += 1 }
        while end > index, text[end - 1] == UInt8(ascii: " ") { end -= 1 }
        guard index < end, end - index <= 9 else { return nil }
        return digits(text, index, count: end - index)
    }

    /// A number with the decimal point moved right; further digits are cut off.
    private static func decimal(_ text: ByteRange, fractionDigits: Int) -> Int64? {
        let isNegative = text.count > 0 && text[0] == UInt8(ascii: "-")
        var index = isNegative ? 1 : 0
        let first = index
        var value: Int64 = 0
        while index < text.count, let digit = digit(text[index]) {
            // 18 digits fit whatever they are.
            guard index - first < 18 else { return nil }
            value = value * 10 + digit
            index += 1
        }
        guard index > first else { return nil }
        var missing = fractionDigits
        if index < text.count, text[index] == UInt8(ascii: ".") {
            index += 1
            guard index < text.count else { return nil }
            while index < text.count, let digit = digit(text[index]) {
                if missing > 0 {
                    guard let next = shifted(value, adding: digit) else { return nil }
                    value = next
                    missing -= 1
                }
                index += 1
            }
        }
        guard index == text.count else { return nil }
        while missing > 0 {
            guard let next = shifted(value, adding: 0) else { return nil }
            value = next
            missing -= 1
        }
        return isNegative ? -value : value
    }

    private static func shifted(_ value: Int64, adding digit: Int64) -> Int64? {
        let (product, overflow) = value.multipliedReportingOverflow(by: 10)
        guard !overflow else { return nil }
        let (sum, sumOverflow) = product.addingReportingOverflow(digit)
        return sumOverflow ? nil : sum
    }

    /// `2013-01-01T05:15:00.25+01:00`; a blank may stand for the T.
    private static func rfc3339(_ text: ByteRange) -> Int64? {
        guard text.count >= 20, text[4] == UInt8(ascii: "-"), text[7] == UInt8(ascii: "-"),
            text[10] | 0x20 == UInt8(ascii: "t") || text[10] == UInt8(ascii: " "),
            text[13] == UInt8(ascii: ":"), text[16] == UInt8(ascii: ":"),
            let year = digits(text, 0, count: 4), let month = digits(text, 5, count: 2),
            let day = digits(text, 8, count: 2), let hour = digits(text, 11, count: 2),
            let minute = digits(text, 14, count: 2), let second = digits(text, 17, count: 2),
            hour <= 23
        else { return nil }
        var index = 19
        var microsecond: Int64 = 0
        if text[index] == UInt8(ascii: ".") {
            index += 1
            let first = index
            var weight: Int64 = 100_000
            while index < text.count, let digit = digit(text[index]) {
                microsecond += digit * weight
                weight /= 10
                index += 1
            }
            guard index > first else { return nil }
        }
        guard let offsetMinutes = offset(text, from: index) else { return nil }
        let time = CivilTime(
            year: year,
            month: month,
            day: day,
            hour: hour,
            minute: minute,
            second: second,
            microsecond: microsecond
        )
        guard time.isValid else { return nil }
        return time.microsecondsSinceEpoch - offsetMinutes * 60_000_000
    }

    /// The minutes of `Z`, `+01:00` or `-01:00`, which must be the rest of the text.
    private static func offset(_ text: ByteRange, from index: Int) -> Int64? {
        guard index < text.count else { return nil }
        if text[index] | 0x20 == UInt8(ascii: "z") { return index + 1 == text.count ? 0 : nil }
        let isPlus = text[index] == UInt8(ascii: "+")
        guard isPlus || text[index] == UInt8(ascii: "-"), index + 6 == text.count,
            text[index + 3] == UInt8(ascii: ":"),
            let hours = digits(text, index + 1, count: 2), hours <= 23,
            let minutes = digits(text, index + 4, count: 2), minutes <= 59
        else { return nil }
        return (isPlus ? 1 : -1) * (hours * 60 + minutes)
    }

    private static func digits(_ text: ByteRange, _ start: Int, count: Int) -> Int64? {
        var value: Int64 = 0
        for index in start..<start + count {
            guard let digit = digit(text[index]) else { return nil }
            value = value * 10 + digit
        }
        return value
    }

    @inline(__always)
    private static func digit(_ byte: UInt8) -> Int64? {
        let digit = byte &- UInt8(ascii: "0")
        return digit <= 9 ? Int64(digit) : nil
    }
}
