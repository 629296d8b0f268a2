/// A date and time of day in UTC, proleptic Gregorian calendar.
///
/// The conversions are Howard Hinnant's `days_from_civil` and `civil_from_days`
/// ("chrono-Compatible Low-Level Date Algorithms"), exact for every year that fits.
package struct CivilTime: Equatable, Sendable {
    /// The year, 1970 to 9999 where it comes from a record.
    package var year: Int64
    /// The month, 1 to 12.
    package var month: Int64
    /// The day of the month, 1 to 31.
    package var day: Int64
    /// The hour, 0 to 23; 24 is taken as midnight of the next day.
    package var hour: Int64
    /// The minute, 0 to 59.
    package var minute: Int64
    /// The second, 0 to 60.
    package var second: Int64
    /// The microsecond, 0 to 999,999.
    package var microsecond: Int64

    /// Creates a date and time; nothing is checked, see ``isValid``.
    package init(
        year: Int64,
        month: Int64,
        day: Int64,
        hour: Int64 = 0,
        minute: Int64 = 0,
        second: Int64 = 0,
        microsecond: Int64 = 0
    ) {
        self.year = year
        self.month = month
        self.day = day
        self.hour = hour
        self.minute = minute
        self.second = second
        self.microsecond = microsecond
    }

    /// Whether every part is in its range, and the day is one that the month has.
    package var isValid: Bool {
        guard (1...9999).contains(year), (1...12).contains(month) else { return false }
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let days: [Int64] = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        return (1...days[Int(month) - 1]).contains(day) && (0...24).contains(hour)
            && (hour < 24 || (minute == 0 && second == 0 && microsecond == 0))
            && (0...59).contains(minute) && (0...60).contains(second)
            && (0...999_999).contains(microsecond)
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    package var microsecondsSinceEpoch: Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        let days = era * 146_097 + dayOfEra - 719_468
        return (((days * 24 + hour) * 60 + minute) * 60 + second) * 1_000_000 + microsecond
    }

    /// The date and time of an event time.
    package init(_ time: EventTime) {
        let (seconds, microsecond) = Self.floorDivide(time.microseconds, by: 1_000_000)
        let (days, secondOfDay) = Self.floorDivide(seconds, by: 86_400)
        let shifted = days + 719_468
        let era = Self.floorDivide(shifted, by: 146_097).quotient
        let dayOfEra = shifted - era * 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        self.init(
            year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
            month: month,
            day: dayOfYear - (153 * shiftedMonth + 2) / 5 + 1,
            hour: secondOfDay / 3600,
            minute: secondOfDay / 60 % 60,
            second: secondOfDay % 60,
            microsecond: microsecond
        )
    }

    /// RFC 3339 text with as many digits of a second as are needed: `2013-01-01T05:15:00Z`.
    package var rfc3339: String {
        var text = Self.padded(year, 4) + "-" + Self.padded(month, 2) + "-" + Self.padded(day, 2)
        text += "T" + Self.padded(hour, 2) + ":" + Self.padded(minute, 2)
        text += ":" + Self.padded(second, 2)
        if microsecond % 1000 != 0 {
            text += "." + Self.padded(microsecond, 6)
        } else if microsecond != 0 {
            text += "." + Self.padded(microsecond / 1000, 3)
        }
        return text + "Z"
    }

    private static func padded(_ value: Int64, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    private static func floorDivide(
        _ value: Int64,
        by divisor: Int64
    ) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
