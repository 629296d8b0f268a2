/// What the runtime learned from its plugin about a sink.
package struct SinkSignature: Sendable, Hashable {
    /// Whether it takes records at once.
    package var canFlush: Bool

    /// Whether it makes whole epochs visible.
    package var canCommit: Bool

    /// Creates a signature; see the properties.
    package init(canFlush: Bool, canCommit: Bool) {
        self.canFlush = canFlush
        self.canCommit = canCommit
    }
}
