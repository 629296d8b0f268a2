/// What a control socket puts up with.
package struct ControlLimits: Sendable {
    /// How many may be connected at a time.
    package var connectionCountMax = 8
    /// The most bytes of a request.
    package var lineByteCountMax = 16 << 20
    /// How long a line may take from its first byte to its end.
    package var lineMilliseconds: Int32 = 10_000
    /// How long one that has nothing lent may be silent.
    package var idleMilliseconds: Int32 = 600_000
    /// How long one may take to read an answer.
    package var writeMilliseconds: Int32 = 3_000

    /// Creates the usual limits.
    package init() {}
}
