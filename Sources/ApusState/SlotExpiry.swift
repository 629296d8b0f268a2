/// When what a slot holds expires: it is never returned after that, and its memory is given back.
package struct SlotExpiry: Equatable, Sendable {
    /// How long it lives since it was written, in seconds; at least 1.
    package let ttlSeconds: UInt32
    /// Whether reading it counts as writing it.
    package let isRefreshedByReads: Bool
    /// The clock: the one on the wall, or the operator's watermark.
    package let domain: KeyedState.TimerDomain

    /// Creates a rule.
    ///
    /// - Parameters:
    ///   - ttlMicroseconds: How long it lives, rounded up to whole seconds.
    ///   - isRefreshedByReads: Whether reading it counts as writing it.
    ///   - domain: The clock.
    package init(
        ttlMicroseconds: Int64,
        isRefreshedByReads: Bool,
        domain: KeyedState.TimerDomain
    ) {
        let seconds = ttlMicroseconds / 1_000_000 + (ttlMicroseconds % 1_000_000 > 0 ? 1 : 0)
        ttlSeconds = UInt32(clamping: max(1, seconds))
        self.isRefreshedByReads = isRefreshedByReads
        self.domain = domain
    }
}
