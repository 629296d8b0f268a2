import ApusGraph

/// Reads sizes and rates as people write them: `256MiB`, `100MB/s`.
enum ByteSizeParser {
    /// Why a text is not a size.
    enum Failure: Error, Equatable {
        /// A number without a unit.
        case noUnit(number: String)
        /// A number with a fraction.
        case fraction
        /// A unit that is none.
        case unknownUnit(number: String, unit: String)
        /// A size where a rate is expected.
        case noPeriod(size: String)
        /// A rate per something else than a second.
        case unknownPeriod(String)
        /// The text is no number with a unit.
        case malformed
        /// The size has more bytes than any machine.
        case tooLarge

        /// How to write it instead; `suffix` is what follows the unit.
        func remedy(suffix: String) -> String? {
            switch self {
            case .noUnit(let number): Self.remedy(number, suffix)
            case .fraction: "write whole numbers with a smaller unit, such as 1500MB\(suffix)"
            case .unknownUnit(_, let unit):
                "there is no unit \(DocumentNode.quoted(unit)), only B, KB, MB, GB (powers of "
                    + "1000), KiB, MiB and GiB (powers of 1024)"
            case .noPeriod(let size): "say how much per second: '\(size)/s'"
            case .unknownPeriod(let period):
                "there is no rate per \(DocumentNode.quoted(period)), only per second: '/s'"
            case .malformed: nil
            case .tooLarge: "it is larger than \(ByteSizeText.format(byteCount: maximum))"
            }
        }

        /// A large number was meant in bytes, a small one in some unit.
        private static func remedy(_ number: String, _ suffix: String) -> String {
            if let byteCount = Int(number), (1_000_000...maximum).contains(byteCount) {
                let size = ByteSizeText.format(byteCount: byteCount)
                return "add a unit: in bytes it is '\(size)\(suffix)'"
            }
            return "add a unit, for example '\(number)MB\(suffix)' or '\(number)MiB\(suffix)'"
        }

        /// What was likely meant, when only the case of the unit is wrong.
        func suggestion(suffix: String) -> String? {
            guard case .unknownUnit(let number, let unit) = self else { return nil }
            return ByteSizeText.units.first { $0.name.lowercased() == unit.lowercased() }
                .map { "\(number)\($0.name)\(suffix)" }
        }
    }

    /// The largest size: sums of several cannot overflow.
    static let maximum = 1 << 50

    /// The size in bytes; never negative.
    static func parse(_ text: String) -> Result<Int, Failure> {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let rest = text.dropFirst(digits.count)
        guard !digits.isEmpty else { return .failure(.malformed) }
        if rest.first == "." { return .failure(.fraction) }
        if rest.isEmpty { return .failure(.noUnit(number: String(digits))) }
        guard rest.allSatisfy({ $0.isASCII && $0.isLetter }) else { return .failure(.malformed) }
        guard let unit = ByteSizeText.units.first(where: { $0.name == rest }) else {
            return .failure(.unknownUnit(number: String(digits), unit: String(rest)))
        }
        guard let number = Int(digits) else { return .failure(.tooLarge) }
        let (byteCount, isTooLarge) = number.multipliedReportingOverflow(by: unit.byteCount)
        guard !isTooLarge, byteCount <= maximum else { return .failure(.tooLarge) }
        return .success(byteCount)
    }

    /// The rate in bytes per second; never negative.
    static func parseRate(_ text: String) -> Result<Int, Failure> {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let size = parts.first.map(String.init) ?? ""
        return parse(size)
            .flatMap { byteCount in
                guard parts.count == 2 else { return .failure(.noPeriod(size: size)) }
                guard parts[1] == "s" else { return .failure(.unknownPeriod(String(parts[1]))) }
                return .success(byteCount)
            }
    }
}
