import ApusGraph

/// Reads durations as people write them: `500ms`, `24h`, `1h30m`.
enum DurationParser {
    /// Why a text is not a duration.
    enum Failure: Error, Equatable {
        /// A number without a unit.
        case noUnit(number: String)
        /// A number with a fraction.
        case fraction
        /// A unit that is none; `nearest` is the unit that was likely meant.
        case unknownUnit(String)
        /// The text is no sequence of numbers with units.
        case malformed
        /// The duration has more microseconds than 64 bits hold.
        case tooLong

        /// How to write it instead.
        var remedy: String? {
            switch self {
            case .noUnit(let number): "add a unit, for example '\(number)ms' or '\(number)s'"
            case .fraction: "write whole numbers with a smaller unit, such as 1500ms"
            case .unknownUnit(let unit):
                "there is no unit \(DocumentNode.quoted(unit)), only us, ms, s, m, h and d"
            case .malformed: nil
            case .tooLong: "it is longer than 36500d"
            }
        }
    }

    /// The longest duration, a hundred years: sums with times and conversions cannot overflow.
    static let maximum: Int64 = 36_500 * 86_400_000_000

    /// The duration in microseconds; never negative.
    static func parse(_ text: String) -> Result<Int64, Failure> {
        guard !text.isEmpty else { return .failure(.malformed) }
        var rest = text[...]
        var total: Int64 = 0
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            rest = rest.dropFirst(digits.count)
            guard !digits.isEmpty else { return .failure(.malformed) }
            let name = rest.prefix { $0.isASCII && $0.isLetter }
            if rest.first == "." { return .failure(.fraction) }
            if rest.isEmpty { return .failure(.noUnit(number: String(digits))) }
            rest = rest.dropFirst(name.count)
            guard let unit = DurationText.units.first(where: { $0.name == name }) else {
                return .failure(name.isEmpty ? .malformed : .unknownUnit(String(name)))
            }
            guard let number = Int64(digits) else { return .failure(.tooLong) }
            let (part, isTooLong) = number.multipliedReportingOverflow(by: unit.microseconds)
            let (sum, isSumTooLong) = total.addingReportingOverflow(part)
            guard !isTooLong, !isSumTooLong, sum <= Self.maximum else { return .failure(.tooLong) }
            total = sum
        }
        return .success(total)
    }
}
