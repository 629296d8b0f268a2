import ApusCore
package import ApusState

/// Times as people read and write them: RFC 3339, UTC.
package enum TimeText {
    /// A time in microseconds since 1970; as a number when it is in no year of four digits.
    package static func text(microseconds: Int64) -> String {
        let time = CivilTime(EventTime(microseconds: microseconds))
        return (1...9999).contains(time.year) ? time.rfc3339 : "\(microseconds) us"
    }

    /// A coarse time; nil for 0, which is "unknown" or "never".
    package static func text(_ time: CoarseTime) -> String? {
        time.seconds == 0 ? nil : text(microseconds: time.microseconds)
    }

    /// Reads `2026-11-23T18:00:00Z`; nil when it is something else.
    package static func coarseTime(_ text: String) -> CoarseTime? {
        let bytes = Array(text.utf8)
        let marks: [Int: Character] = [4: "-", 7: "-", 10: "T", 13: ":", 16: ":", 19: "Z"]
        guard bytes.count == 20,
            marks.allSatisfy({ bytes[$0.key] == $0.value.asciiValue })
        else { return nil }
        func number(_ range: Range<Int>) -> Int64? {
            let digits = bytes[range]
            guard digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
            return Int64(String(decoding: digits, as: UTF8.self))
        }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
            let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19)
        else { return nil }
        let time = CivilTime(
            year: year,
            month: month,
            day: day,
            hour: hour,
            minute: minute,
            second: second
        )
        let seconds = time.microsecondsSinceEpoch / 1_000_000 - CoarseTime.startSeconds
        guard time.isValid, let coarse = UInt32(exactly: seconds) else { return nil }
        return CoarseTime(seconds: coarse)
    }

    /// How long something takes or took, in two units at most: `3d 4h`.
    package static func duration(microseconds: Int64) -> String {
        let units: [(name: String, seconds: Int64)] = [("d", 86_400), ("h", 3_600), ("m", 60)]
        let seconds = max(0, microseconds) / 1_000_000
        for (index, unit) in units.enumerated() where seconds >= unit.seconds {
            let next = index + 1 < units.count ? units[index + 1] : ("s", 1)
            let rest = seconds % unit.seconds / next.1
            return "\(seconds / unit.seconds)\(unit.name)" + (rest == 0 ? "" : " \(rest)\(next.0)")
        }
        return "\(seconds)s"
    }
}
