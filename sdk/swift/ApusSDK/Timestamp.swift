/// An instant, in microseconds since 1970-01-01T00:00:00Z.
public struct Timestamp: Hashable, Comparable, Sendable {
    /// Microseconds since 1970-01-01T00:00:00Z.
    public let microseconds: Int64

    /// The instant so many microseconds after 1970-01-01T00:00:00Z.
    @inlinable
    public init(microseconds: Int64) {
        self.microseconds = microseconds
    }

    /// Whether `left` is earlier.
    @inlinable
    public static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.microseconds < right.microseconds
    }

    /// The instant a duration later, in whole microseconds; never beyond what can be said.
    @inlinable
    public static func + (time: Timestamp, duration: Duration) -> Timestamp {
        let (seconds, attoseconds) = duration.components
        let (product, isTooLong) = seconds.multipliedReportingOverflow(by: 1_000_000)
        let (length, isLonger) = product.addingReportingOverflow(attoseconds / 1_000_000_000_000)
        let (sum, isTooLate) = time.microseconds.addingReportingOverflow(length)
        guard !isTooLong, !isLonger, !isTooLate else {
            return Timestamp(microseconds: duration < .zero ? .min : .max)
        }
        return Timestamp(microseconds: sum)
    }

    /// The instant a duration earlier, in whole microseconds; never beyond what can be said.
    @inlinable
    public static func - (time: Timestamp, duration: Duration) -> Timestamp {
        time + (.zero - duration)
    }

    /// How much later `left` is than `right`.
    @inlinable
    public static func - (left: Timestamp, right: Timestamp) -> Duration {
        .microseconds(left.microseconds) - .microseconds(right.microseconds)
    }
}

extension Timestamp: StateCodable {
    /// Eight bytes.
    public static var fixedByteCount: Int? { 8 }

    /// Reads a value back.
    @inlinable
    public init(from decoder: inout StateDecoder) throws {
        microseconds = try decoder.decode()
    }

    /// Appends the bytes of the value.
    @inlinable
    public func encode(into encoder: inout StateEncoder) {
        encoder.encode(microseconds)
    }
}

extension Timestamp: CustomStringConvertible {
    /// RFC 3339 in UTC, `2026-03-02T09:00:00.000Z`; with six digits where milliseconds are not
    /// enough, and as a number of microseconds where four digits cannot say the year.
    public var description: String {
        guard (0..<253_402_300_800_000_000).contains(microseconds) else {
            return "\(microseconds) us"
        }
        let isWholeMilliseconds = microseconds % 1_000 == 0
        return String(unsafeUninitializedCapacity: 27) { text in
            // SAFETY: 20 characters besides the fraction, which has at most 7.
            let (year, month, day) = civilDate
            var writer = DigitWriter(text: text)
            writer.write(year, digits: 4, then: "-")
            writer.write(month, digits: 2, then: "-")
            writer.write(day, digits: 2, then: "T")
            writer.write(microseconds / 3_600_000_000 % 24, digits: 2, then: ":")
            writer.write(microseconds / 60_000_000 % 60, digits: 2, then: ":")
            writer.write(microseconds / 1_000_000 % 60, digits: 2, then: ".")
            if isWholeMilliseconds {
                writer.write(microseconds / 1_000 % 1_000, digits: 3, then: "Z")
            } else {
                writer.write(microseconds % 1_000_000, digits: 6, then: "Z")
            }
            return writer.count
        }
    }

    /// The date in the Gregorian calendar.
    ///
    /// Counts from 0000-03-01, so that the leap day is the last of its year: 146,097 days are 400
    /// years, and five months from March on always have 153 days.
    private var civilDate: (year: Int64, month: Int64, day: Int64) {
        let dayCount = microseconds / 86_400_000_000 + 719_468
        let dayOfEra = dayCount % 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        let year = dayCount / 146_097 * 400 + yearOfEra + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
    }
}

/// Writes decimal numbers of fixed width.
private struct DigitWriter {
    let text: UnsafeMutableBufferPointer<UInt8>
    var count = 0

    mutating func write(_ number: Int64, digits: Int, then separator: Unicode.Scalar) {
        var rest = number
        for position in stride(from: count + digits - 1, through: count, by: -1) {
            text[position] = UInt8(ascii: "0") + UInt8(rest % 10)
            rest /= 10
        }
        text[count + digits] = UInt8(ascii: separator)
        count += digits + 1
    }
}
