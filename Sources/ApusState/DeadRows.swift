/// What is left of a state whose rows were all moved: memory that goes with this object.
package final class DeadRows: @unchecked Sendable {
    // @unchecked because nobody uses the state any more; it is only let go.
    private let state: KeyedState

    init(_ state: KeyedState) { self.state = state }
}
