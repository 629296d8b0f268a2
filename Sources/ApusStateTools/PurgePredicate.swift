import ApusState

/// Which keys are to be purged: conditions that must all hold.
package struct PurgePredicate: Equatable, Sendable {
    /// How a number is compared.
    enum Comparison: String, CaseIterable, Sendable {
        case moreOrEqual = ">="
        case lessOrEqual = "<="
        case more = ">"
        case less = "<"

        func holds<Value: Comparable>(_ left: Value, _ right: Value) -> Bool {
            switch self {
            case .more: left > right
            case .moreOrEqual: left >= right
            case .less: left < right
            case .lessOrEqual: left <= right
            }
        }
    }

    /// A condition.
    enum Term: Equatable, Sendable {
        /// The time since the last write; does not hold when that is not known.
        case idle(Comparison, microseconds: Int64)
        /// The bytes of the key's entries, or of one state of them.
        case size(Comparison, byteCount: Int)
        /// The row has a time to expire, and it is past.
        case expired
        /// The key fits a pattern: `*` stands for any bytes, `?` for one.
        case keyLike([UInt8])
        /// The key is this.
        case keyEquals([UInt8])
    }

    /// The conditions.
    let terms: [Term]

    /// Whether a key is to be purged.
    ///
    /// - Parameters:
    ///   - key: The key.
    ///   - slot: The state that alone is to go, and whose bytes count; nil for the whole key.
    ///   - nowMicroseconds: The time on the wall, since 1970.
    /// - Returns: Whether all conditions hold, and the key has the state.
    package func matches(_ key: KeySummary, slot: Int?, nowMicroseconds: Int64) -> Bool {
        var byteCount = key.byteCount
        if let slot {
            guard let held = key.slots[slot] else { return false }
            byteCount = held.byteCount
        }
        return terms.allSatisfy { term in
            switch term {
            case .idle(let comparison, let limit):
                key.written.seconds != 0
                    && comparison.holds(nowMicroseconds - key.written.microseconds, limit)
            case .size(let comparison, let limit): comparison.holds(byteCount, limit)
            case .expired:
                key.expires.seconds != 0 && key.expires.microseconds < nowMicroseconds
            case .keyLike(let pattern): Self.fits(key.key[...], pattern[...])
            case .keyEquals(let bytes): key.key == bytes
            }
        }
    }

    /// Whether bytes fit a pattern; in time proportional to both lengths multiplied.
    static func fits(_ bytes: ArraySlice<UInt8>, _ pattern: ArraySlice<UInt8>) -> Bool {
        let star = UInt8(ascii: "*")
        var at = bytes.startIndex
        var place = pattern.startIndex
        var resume: (pattern: Int, bytes: Int)?
        while at < bytes.endIndex {
            if place < pattern.endIndex, pattern[place] == star {
                resume = (place + 1, at)
                place += 1
            } else if place < pattern.endIndex,
                pattern[place] == UInt8(ascii: "?") || pattern[place] == bytes[at]
            {
                place += 1
                at += 1
            } else if let last = resume {
                // The star takes one byte more.
                resume = (last.pattern, last.bytes + 1)
                place = last.pattern
                at = last.bytes + 1
            } else {
                return false
            }
        }
        return pattern[place...].allSatisfy { $0 == star }
    }
}
