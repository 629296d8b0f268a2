/// A key whose state could not be migrated: taken out of the state, as it was.
package struct QuarantinedKey: Sendable {
    /// What was wrong.
    package let reason: String
    /// What it had, by the slots and timers of the old version.
    package let image: KeyImage
}
