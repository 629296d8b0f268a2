/// What a key had, taken apart, to be put back into a running job.
package struct KeyImage: Sendable {
    /// What a slot held.
    package struct Value: Sendable {
        /// By the kind of the state.
        package enum Content: Sendable {
            /// Of a value.
            case bytes([UInt8])
            /// Of a counter.
            case number(Int64)
            /// Of a list, in order.
            case list([[UInt8]])
            /// Of a map.
            case map([(key: [UInt8], value: [UInt8])])
        }

        /// The slot.
        package var slot: Int
        /// What it held.
        package var content: Content

        /// Creates a value.
        package init(slot: Int, content: Content) {
            self.slot = slot
            self.content = content
        }
    }

    /// The key.
    package var key: [UInt8]
    /// What its slots held.
    package var values: [Value]
    /// Its timers.
    package var timers: [StoredRow.Timer]
    /// Whether this is everything that it had: then it is put back only if the key has nothing.
    package var isWhole: Bool

    /// Creates an image.
    package init(key: [UInt8], values: [Value], timers: [StoredRow.Timer], isWhole: Bool) {
        self.key = key
        self.values = values
        self.timers = timers
        self.isWhole = isWhole
    }
}
