/// Seconds since 2020-01-01T00:00:00Z in 32 bits, enough until 2156: when state was last written,
/// and when it expires.
///
/// 0 is "unknown" or "never".
package struct CoarseTime: Comparable, Sendable {
    /// 2020-01-01T00:00:00Z in seconds since 1970.
    package static let startSeconds: Int64 = 1_577_836_800

    /// The seconds.
    package let seconds: UInt32

    /// Creates a time from its seconds.
    package init(seconds: UInt32) {
        self.seconds = seconds
    }

    /// The second in which a time in microseconds since 1970 lies, as near as 32 bits allow.
    package init(microseconds: Int64) {
        let (second, _) = microseconds.dividingRoundingDown(by: 1_000_000)
            .subtractingReportingOverflow(Self.startSeconds)
        seconds = UInt32(clamping: max(1, second))
    }

    /// The time in microseconds since 1970.
    package var microseconds: Int64 { (Int64(seconds) + Self.startSeconds) * 1_000_000 }

    // doc: inherited
    package static func < (left: CoarseTime, right: CoarseTime) -> Bool {
        left.seconds < right.seconds
    }
}

extension Int64 {
    /// The quotient, rounded towards negative infinity.
    fileprivate func dividingRoundingDown(by divisor: Int64) -> Int64 {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}
