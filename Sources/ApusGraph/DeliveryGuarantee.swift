/// What a sink promises about a record that was processed again after a failure.
package enum DeliveryGuarantee: String, Sendable, CaseIterable {
    /// Its output appears once: with the checkpoint that holds it.
    ///
    /// Standard output cannot be asked what reached it, and so may get one checkpoint's output
    /// again.
    case exactlyOnce = "exactly-once"
    /// Its output appears at once, and perhaps again.
    case atLeastOnce = "at-least-once"
}
