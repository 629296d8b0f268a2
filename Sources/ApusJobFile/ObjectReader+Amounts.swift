import ApusGraph

/// Durations, sizes and rates, each with a unit and within a range.
extension ObjectReader {
    /// The duration of a key in microseconds, if it lies in `range`.
    ///
    /// A word that the key may have instead is the caller's to look for; it is only mentioned here.
    func duration(
        _ key: Key,
        in range: ClosedRange<Int64>,
        such example: String,
        orWord word: String? = nil
    ) -> Int64? {
        guard let value = value(key), !value.isInvalid else { return nil }
        let from = DurationText.format(microseconds: range.lowerBound)
        let to = DurationText.format(microseconds: range.upperBound)
        let expected = "a duration from \(from) to \(to), such as \(example)" + Self.or(word)
        guard case .scalar(let scalar) = value.content else {
            report(key, value.summary, expected: expected)
            return nil
        }
        switch DurationParser.parse(scalar.text) {
        case .success(let microseconds) where range.contains(microseconds):
            return microseconds
        case .success:
            report(key, value.summary, expected: expected)
            return nil
        case .failure(let failure):
            reportFailure(key, scalar, expected, failure.remedy, Self.suggestion(scalar, word))
            return nil
        }
    }

    /// The rate of a key in bytes per second, if it is at least `minimum`.
    func rate(_ key: Key, atLeast minimum: Int, orWord word: String) -> Int? {
        guard let value = value(key), !value.isInvalid else { return nil }
        let least = ByteSizeText.format(bytesPerSecond: minimum)
        let expected = "a rate of at least \(least), such as 100MB/s" + Self.or(word)
        guard case .scalar(let scalar) = value.content else {
            report(key, value.summary, expected: expected)
            return nil
        }
        switch ByteSizeParser.parseRate(scalar.text) {
        case .success(let bytesPerSecond) where bytesPerSecond >= minimum:
            return bytesPerSecond
        case .success:
            report(key, value.summary, expected: expected)
            return nil
        case .failure(let failure):
            let suggestion = failure.suggestion(suffix: "/s") ?? Self.suggestion(scalar, word)
            reportFailure(key, scalar, expected, failure.remedy(suffix: "/s"), suggestion)
            return nil
        }
    }

    /// The size of a key in bytes, if it is at least `minimum`.
    func size(_ key: Key, atLeast minimum: Int, expected: String) -> Int? {
        guard let value = value(key), !value.isInvalid else { return nil }
        guard case .scalar(let scalar) = value.content else {
            report(key, value.summary, expected: expected)
            return nil
        }
        switch ByteSizeParser.parse(scalar.text) {
        case .success(let byteCount) where byteCount >= minimum:
            return byteCount
        case .success:
            report(key, value.summary, expected: expected)
            return nil
        case .failure(let failure):
            let suggestion = failure.suggestion(suffix: "")
            reportFailure(key, scalar, expected, failure.remedy(suffix: ""), suggestion)
            return nil
        }
    }

    /// The integer of a key, if it is at least `minimum`.
    func integer(_ key: Key, atLeast minimum: Int, orWord word: String) -> Int? {
        guard let value = value(key), !value.isInvalid else { return nil }
        let expected = "an integer of at least \(minimum)" + Self.or(word)
        guard case .scalar(let scalar) = value.content else {
            report(key, value.summary, expected: expected)
            return nil
        }
        if case .integer(let number) = PlainScalar(scalar), let number = Int(exactly: number),
            number >= minimum
        {
            return number
        }
        let suggestion = Self.suggestion(scalar, word)
        report(key, value.summary, expected: expected, suggestion: suggestion)
        return nil
    }

    /// Whether the value of a key is exactly this word.
    func isWord(_ key: Key, _ word: String) -> Bool {
        value(key)?.isWord(word) ?? false
    }

    private static func or(_ word: String?) -> String {
        word.map { ", or '\($0)'" } ?? ""
    }

    /// The word, if it was likely meant.
    private static func suggestion(_ scalar: DocumentNode.Scalar, _ word: String?) -> String? {
        word.flatMap { NearestWord.find(scalar.text, among: [$0]) }
    }

    /// Notes a text that cannot be parsed; remedy and suggestion quote it, so they are left out
    /// when it is what a variable holds.
    private func reportFailure(
        _ key: Key,
        _ scalar: DocumentNode.Scalar,
        _ expected: String,
        _ remedy: String?,
        _ suggestion: String?
    ) {
        let isShown = scalar.unexpandedText == nil
        report(
            key,
            value(key)?.summary ?? "",
            expected: expected,
            remedy: isShown ? remedy : nil,
            suggestion: isShown ? suggestion : nil
        )
    }
}
