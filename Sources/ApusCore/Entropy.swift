/// The seam to randomness: seeds come from here and from nowhere else.
package protocol Entropy: Sendable {
    /// 64 unpredictable bits.
    func seed() -> UInt64
}
