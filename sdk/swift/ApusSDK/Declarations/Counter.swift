/// A number that an operator counts for the people who watch the job, declared as a property.
///
/// Not to be confused with ``CounterState``, which is kept per key and in checkpoints.
public struct Counter: Equatable, Sendable {
    @usableFromInline let index: UInt32

    /// Declares a counter.
    ///
    /// - Parameters:
    ///   - name: `a-z`, `0-9`, `_`.
    ///   - summary: What it counts, in one line.
    public init(_ name: StaticString, _ summary: StaticString) {
        index = Declarations.note(
            Declarations.Output(name: name.description, summary: summary.description),
            in: \.counters
        )
    }
}
