// A plugin in Swift that uses what plugins use: a dictionary, text, an error.
struct First: Error {}

/// Does a little of each.
@c(spike_value) public func spikeValue() -> Int32 {
    var counts: [String: Int32] = [:]
    for word in "a few words a few more".split(separator: " ") {
        counts[String(word), default: 0] += 1
    }
    do { throw First() } catch { return counts["few"] ?? 0 }
}
