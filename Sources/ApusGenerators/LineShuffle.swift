/// Delays lines, so that they leave in another order than that of their event times.
///
/// A line leaves at its event time or up to ``delayMax`` later, so no line that left before it has
/// an event time more than ``delayMax`` after its own.
struct LineShuffle {
    /// The longest delay, in milliseconds of event time.
    static let delayMax = 2 * Milliseconds.minute

    /// Half of the lines leave at once, one in ten is more than a minute late.
    private static let delays = DelayTable([
        .share(50, exactly: 0),
        .share(20, from: 1, to: 5 * Milliseconds.second),
        .share(20, from: 5 * Milliseconds.second, to: 60 * Milliseconds.second),
        .share(10, from: 60 * Milliseconds.second, to: delayMax),
    ])

    private static let stream = UInt64.max - 1

    private struct Line {
        let leavesAt: Timestamp
        let index: Int
        let text: String
    }

    private var random: SeededRandom
    private var waiting: [Line] = []
    private var addedCount = 0

    /// Nothing waits yet.
    init(seed: UInt64) {
        random = SeededRandom(seed: seed, stream: Self.stream)
    }

    /// Takes a line that belongs to an event time, not before that of the lines before it.
    mutating func add(_ text: String, time: Timestamp) {
        let delay = Self.delays.draw(&random) ?? 0
        waiting.append(Line(leavesAt: time + delay, index: addedCount, text: text))
        addedCount += 1
    }

    /// The lines that leave before `end`, in order, or all lines.
    ///
    /// - Precondition: No line that is added later belongs to a time before `end`.
    mutating func take(before end: Timestamp?) -> [String] {
        waiting.sort { ($0.leavesAt, $0.index) < ($1.leavesAt, $1.index) }
        let count = end.map { end in waiting.prefix { $0.leavesAt < end }.count } ?? waiting.count
        let lines = waiting.prefix(count).map(\.text)
        waiting.removeFirst(count)
        return lines
    }
}
