/// An instant in milliseconds since 1970-01-01T00:00:00Z, written as RFC 3339 in UTC.
package struct Timestamp: Hashable, Comparable, Sendable {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    package let milliseconds: Int64

    /// The instant so many milliseconds after 1970-01-01T00:00:00Z.
    ///
    /// - Precondition: The year is 1970 to 9999, which is what four digits can say.
    package init(milliseconds: Int64) {
        precondition(Self.writable.contains(milliseconds), "the year is not within 1970 to 9999")
        self.milliseconds = milliseconds
    }

    /// Monday 2026-03-02, 09:00 UTC: when all generated data begins.
    package static let start = Timestamp(milliseconds: 1_772_442_000_000)

    private static let writable = Int64(0)..<253_402_300_800_000

    // doc: inherited
    package static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.milliseconds < right.milliseconds
    }

    /// The instant so many milliseconds later.
    package static func + (time: Timestamp, milliseconds: Int64) -> Timestamp {
        Timestamp(milliseconds: time.milliseconds + milliseconds)
    }

    /// The milliseconds from `right` to `left`.
    package static func - (left: Timestamp, right: Timestamp) -> Int64 {
        left.milliseconds - right.milliseconds
    }
}

/// Lengths of time in milliseconds.
package enum Milliseconds {
    /// One second.
    package static let second: Int64 = 1_000
    /// One minute.
    package static let minute = 60 * second
    /// One hour.
    package static let hour = 60 * minute
    /// One day; there are no leap seconds in event time.
    package static let day = 24 * hour
}

extension Timestamp: CustomStringConvertible {
    /// The instant as `2026-03-02T09:00:00.000Z`.
    package var description: String {
        var text: [UInt8] = []
        append(to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    /// Appends `2026-03-02T09:00:00.000Z`.
    func append(to text: inout [UInt8]) {
        let date = civilDate
        let millisecondOfDay = milliseconds % Milliseconds.day
        Self.append(date.year, digits: 4, to: &text)
        text.append(UInt8(ascii: "-"))
        Self.append(date.month, digits: 2, to: &text)
        text.append(UInt8(ascii: "-"))
        Self.append(date.day, digits: 2, to: &text)
        text.append(UInt8(ascii: "T"))
        Self.append(millisecondOfDay / Milliseconds.hour, digits: 2, to: &text)
        text.append(UInt8(ascii: ":"))
        Self.append(millisecondOfDay / Milliseconds.minute % 60, digits: 2, to: &text)
        text.append(UInt8(ascii: ":"))
        Self.append(millisecondOfDay / Milliseconds.second % 60, digits: 2, to: &text)
        text.append(UInt8(ascii: "."))
        Self.append(millisecondOfDay % Milliseconds.second, digits: 3, to: &text)
        text.append(UInt8(ascii: "Z"))
    }

    /// The date in the Gregorian calendar.
    ///
    /// Counts from 0000-03-01, so that the leap day is the last of its year: 146,097 days are 400
    /// years, and five months from March on always have 153 days.
    private var civilDate: (year: Int64, month: Int64, day: Int64) {
        let dayCount = milliseconds / Milliseconds.day + 719_468
        let dayOfEra = dayCount % 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        let year = dayCount / 146_097 * 400 + yearOfEra + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
    }

    private static func append(_ number: Int64, digits: Int, to text: inout [UInt8]) {
        var divisor: Int64 = digits == 4 ? 1_000 : digits == 3 ? 100 : 10
        while divisor > 0 {
            text.append(UInt8(ascii: "0") + UInt8(number / divisor % 10))
            divisor /= 10
        }
    }
}
