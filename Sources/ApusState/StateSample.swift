/// How many keys have each state, among some of the rows in memory.
package struct StateSample: Sendable {
    /// The rows in memory.
    package var rowCount = 0
    /// The rows that were looked at.
    package var lookedAtCount = 0
    /// How many of those hold something, by slot.
    package var slotCounts: [Int]

    init(slotCount: Int) {
        slotCounts = Array(repeating: 0, count: slotCount)
    }
}
