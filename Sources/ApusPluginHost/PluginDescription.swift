package import ApusState

/// What a plugin says of itself, as values.
package struct PluginDescription: Equatable, Sendable {
    /// The reverse-domain id, "com.example.fraud".
    package let id: String
    /// The semantic version.
    package let version: String
    /// Who makes it.
    package let vendor: String
    /// The minor ABI version that it was compiled with.
    package let abiMinor: Int
    /// What it offers, in the order of its table.
    package let components: [ComponentDescription]
}

/// What a component says of itself.
package struct ComponentDescription: Equatable, Sendable {
    /// The id, unique in the plugin.
    package let id: String
    /// One line for people.
    package let summary: String
    /// Whether its records must have keys.
    package let isKeyed: Bool
    /// Whether it wants records without key too.
    package let acceptsNullKey: Bool
    /// How many inputs it takes.
    package let inputCount: Int
    /// The outputs' names, the main one first.
    package let outputs: [String]
    /// The state slots.
    package let states: [StateDescription]
    /// The timers.
    package let timers: [TimerDescription]
    /// The names of its counters.
    package let counters: [String]
    /// How many broadcast inputs it takes at most.
    package let broadcastInputCount: Int
    /// The broadcast states.
    package let broadcasts: [BroadcastDescription]
    /// The operator states.
    package let operatorStates: [OperatorStateDescription]
}

/// A declared state slot.
package struct StateDescription: Equatable, Sendable {
    /// Name and kind.
    package let slot: SlotDescription
    /// The version of what the bytes mean.
    package let schemaVersion: Int
    /// Free text about the bytes.
    package let schema: String
}

/// A declared broadcast state.
package struct BroadcastDescription: Equatable, Sendable {
    /// Its name, unlike those of all other states of the component.
    package let name: String
    /// The version of what the bytes mean.
    package let schemaVersion: Int
    /// Free text about the bytes.
    package let schema: String
}

/// A declared operator state: items of a subtask.
package struct OperatorStateDescription: Equatable, Sendable {
    /// Its name, unlike those of all other states of the component.
    package let name: String
    /// Who gets the items when a job goes on from a checkpoint.
    package let redistribution: OperatorStateRedistribution
    /// The version of what the bytes mean.
    package let schemaVersion: Int
    /// Free text about the bytes.
    package let schema: String
}

/// A declared timer.
package struct TimerDescription: Equatable, Sendable {
    /// The name.
    package let name: String
    /// The domain.
    package let domain: KeyedState.TimerDomain
}
