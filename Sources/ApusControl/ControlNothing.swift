/// Nothing, as parameters or as a result: `{}`.
package struct ControlNothing: Codable, Equatable, Sendable {
    /// Creates it.
    package init() {}
}
