/// What the runtime learned about an operator from its plugin.
package struct OperatorSignature: Sendable, Hashable {
    /// The names of the outputs; the first is the main one.
    package var outputs: [String]

    /// Whether the operator keeps state or timers per key.
    package var isKeyed: Bool

    /// Whether a keyed operator also takes records that have no key.
    package var acceptsMissingKey: Bool

    /// How many inputs the operator has at most.
    package var inputCount: Int

    /// How many broadcast inputs the operator has at most.
    package var broadcastInputCount: Int

    /// The names of the states that it keeps, in the order of their declaration.
    package var states: [String]

    /// The names that states had in older versions: a job file may still have them.
    package var formerStates: [String] = []

    /// Whether it makes asynchronous calls.
    package var isAsynchronous: Bool

    /// What else is known, a line each, for people who read the plan.
    package var details: [String] = []

    /// Creates a signature; see the properties.
    ///
    /// - Precondition: `inputCount` is at least 1. An operator without any output is allowed.
    package init(
        outputs: [String],
        isKeyed: Bool,
        acceptsMissingKey: Bool = false,
        inputCount: Int = 1,
        broadcastInputCount: Int = 0,
        states: [String] = [],
        isAsynchronous: Bool = false
    ) {
        precondition(inputCount >= 1, "an operator has an input")
        self.outputs = outputs
        self.isKeyed = isKeyed
        self.acceptsMissingKey = acceptsMissingKey
        self.inputCount = inputCount
        self.broadcastInputCount = broadcastInputCount
        self.states = states
        self.isAsynchronous = isAsynchronous
    }
}
