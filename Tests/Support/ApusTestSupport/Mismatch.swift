/// What a comparison with a model throws: the test ends there, with what is needed to repeat it.
package struct Mismatch: Error, CustomStringConvertible {
    /// Seed, step, what was expected and what was found.
    package let description: String

    /// Creates a mismatch.
    package init(_ description: String) {
        self.description = description
    }
}

/// Throws when `isTrue` is false.
///
/// For checks by the million, where `#expect` is too slow.
package func check(_ isTrue: Bool, _ message: @autoclosure () -> String) throws(Mismatch) {
    if !isTrue { throw Mismatch(message()) }
}

/// Throws when two sequences differ, and says where: without printing all of both.
package func checkEqual<Element: Equatable>(
    _ found: [Element],
    _ expected: [Element],
    _ message: @autoclosure () -> String
) throws(Mismatch) {
    guard found != expected else { return }
    let place = zip(found, expected).enumerated().first { $1.0 != $1.1 }
    let difference =
        place.map { "element \($0.offset) is \($0.element.0), not \($0.element.1)" }
        ?? "\(found.count) elements, not \(expected.count)"
    throw Mismatch("\(message()): \(difference)")
}
