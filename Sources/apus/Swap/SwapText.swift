import ApusJobFile
import ArgumentParser

/// Reads the words and amounts of `apus swap run`.
enum SwapText {
    /// A duration, in microseconds.
    static func time(_ text: String, _ option: String) throws -> Int64 {
        guard let value = DurationArgument.microseconds(text), value > 0 else {
            throw ValidationError("\(option) \(text): expected a time as in 200us, 20ms, 30s or 5m")
        }
        return value
    }

    /// A part of a whole: `1%` or `0.01`.
    static func rate(_ text: String, _ option: String) throws -> Double {
        let isPercent = text.hasSuffix("%")
        let number = Double(isPercent ? String(text.dropLast()) : text)
        guard let number, number >= 0, number <= (isPercent ? 100 : 1) else {
            throw ValidationError("\(option) \(text): expected a part as in 1% or 0.01")
        }
        return isPercent ? number / 100 : number
    }

    /// A name and a number: `errors=0`.
    static func counter(_ text: String, _ option: String) throws -> (String, UInt64) {
        let parts = text.split(separator: "=", maxSplits: 1)
        guard parts.count == 2, let value = UInt64(parts[1]) else {
            throw ValidationError(
                "\(option) \(text): expected a counter of the plugin and a number, as in errors=0"
            )
        }
        return (String(parts[0]), value)
    }

    /// One of some words; nil for none.
    static func word(_ text: String?, _ option: String, of words: [String]) throws -> String? {
        guard let text else { return nil }
        guard words.contains(text) else {
            throw ValidationError(
                "\(option) \(text): expected one of \(words.joined(separator: ", "))"
            )
        }
        return text
    }
}
