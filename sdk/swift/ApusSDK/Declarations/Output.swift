/// A side output of an operator, declared as a property.
///
/// The job file says `operator.name`.  Every operator has a main output besides, ``main``.
public struct Output: Equatable, Sendable {
    @usableFromInline let index: UInt32

    /// The output that is meant when none is named.
    public static let main = Output(index: 0)

    @usableFromInline
    init(index: UInt32) {
        self.index = index
    }

    /// Declares an output.
    ///
    /// - Parameters:
    ///   - name: `a-z`, `0-9`, `-`.
    ///   - summary: What leaves by it, in one line.
    public init(_ name: StaticString, _ summary: StaticString) {
        index = Declarations.note(
            Declarations.Output(name: name.description, summary: summary.description),
            in: \.outputs
        )
    }
}
