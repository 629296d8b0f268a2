package import ApusState
import CApusPlugin

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
    /// The oldest minor ABI version of a host that it runs on.
    package let abiFloor: Int
    /// What it offers, in the order of its table.
    package let components: [ComponentDescription]
}

/// What a component says of itself.
package struct ComponentDescription: Equatable, Sendable {
    /// The id, unique in the plugin.
    package let id: String
    /// What it is for.
    package let kind: ComponentKind
    /// One line for people.
    package let summary: String
    /// Whether its records must have keys.
    package let isKeyed: Bool
    /// Whether it wants records without key too.
    package let acceptsNullKey: Bool
    /// Whether it makes asynchronous calls.
    package let isAsynchronous: Bool
    /// What it promises of its output.
    package let promises: Promises
    /// How many inputs it takes.
    package let inputCount: Int
    /// The outputs' names, the main one first.
    package let outputs: [String]
    /// The state slots.
    package let states: [StateDescription]
    /// The timers.
    package let timers: [TimerDescription]
    /// Its counters and gauges.
    package let counters: [CounterDescription]
    /// The names of its histograms.
    package let histograms: [String]
    /// How many broadcast inputs it takes at most.
    package let broadcastInputCount: Int
    /// The broadcast states.
    package let broadcasts: [BroadcastDescription]
    /// The operator states.
    ///
    /// The last one is that of the private snapshot, if there is one; see ``PrivateSnapshot``.
    package let operatorStates: [OperatorStateDescription]
    /// What a sink or a codec can do.
    package let abilities: Abilities
    /// The version of the private snapshot that it writes; nil when it has none.
    package let snapshotVersion: Int?
}

/// What a sink or a codec can do, as its function table says.
package struct Abilities: OptionSet, Equatable, Sendable {
    // doc: inherited
    package let rawValue: UInt8
    // doc: inherited
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// A sink that takes records at once.
    package static let flush = Abilities(rawValue: 1)
    /// A sink that makes whole epochs visible.
    package static let commit = Abilities(rawValue: 2)
    /// A codec that makes records of bytes.
    package static let decode = Abilities(rawValue: 4)
    /// A codec that makes bytes of records.
    package static let encode = Abilities(rawValue: 8)
}

/// What a component is for; the numbers are those of the ABI.
package enum ComponentKind: UInt32, Equatable, Sendable {
    /// Brings records into a job.
    case source = 1
    /// Makes records of records.
    case `operator` = 2
    /// Takes records out of a job.
    case sink = 3
    /// Turns bytes into records and back.
    case codec = 4

    /// The kind as a word.
    package var text: String {
        switch self {
        case .source: "source"
        case .operator: "operator"
        case .sink: "sink"
        case .codec: "codec"
        }
    }
}

/// What a component promises of its output; `apus plugin check` holds it to that.
package struct Promises: OptionSet, Equatable, Sendable {
    // doc: inherited
    package let rawValue: UInt32
    // doc: inherited
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// The same input in the same order gives the same output.
    package static let deterministic = Promises(rawValue: APUS_DETERMINISTIC)
    /// Every record that it writes has the key of the one in hand.
    package static let forwardsKey = Promises(rawValue: APUS_FORWARDS_KEY)
    /// It writes exactly one record for each on its main output.
    package static let oneToOne = Promises(rawValue: APUS_ONE_TO_ONE)
    /// It passes records on as they are, or not at all.
    package static let filterOnly = Promises(rawValue: APUS_FILTER_ONLY)

    /// The promises as words.
    package var names: [String] {
        var names: [String] = []
        if contains(.deterministic) { names.append("deterministic") }
        if contains(.forwardsKey) { names.append("forwards-key") }
        if contains(.oneToOne) { names.append("one-to-one") }
        if contains(.filterOnly) { names.append("filter-only") }
        return names
    }

    static let all: Promises = [.deterministic, .forwardsKey, .oneToOne, .filterOnly]
}

/// A declared counter or gauge.
package struct CounterDescription: Equatable, Sendable {
    /// The name.
    package let name: String
    /// Whether it is a level and not a sum.
    package let isGauge: Bool
}

/// What a declaration says of older versions of its bytes.
package struct MigrationDescription: Equatable, Sendable {
    /// The oldest version that can be read; the declaration's own when there is no migration.
    package let oldestReadable: Int
    /// Whether there is a function that brings older bytes forward.
    package let isGiven: Bool
    /// Whether that function also makes older bytes of its own.
    package let isReversible: Bool
    /// The name in older versions; nil when it was the same.
    package let renamedFrom: String?
}

/// A declared state slot.
package struct StateDescription: Equatable, Sendable {
    /// Name and kind.
    package let slot: SlotDescription
    /// The version of what the bytes mean.
    package let schemaVersion: Int
    /// Free text about the bytes.
    package let schema: String
    /// What it makes of older versions of the bytes.
    package let migration: MigrationDescription
}

/// A declared broadcast state.
package struct BroadcastDescription: Equatable, Sendable {
    /// Its name, unlike those of all other states of the component.
    package let name: String
    /// The version of what the bytes mean.
    package let schemaVersion: Int
    /// Free text about the bytes.
    package let schema: String
    /// What it makes of older versions of the bytes.
    package let migration: MigrationDescription
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
    /// What it makes of older versions of the bytes.
    package let migration: MigrationDescription
}

/// A declared timer.
package struct TimerDescription: Equatable, Sendable {
    /// The name.
    package let name: String
    /// The domain.
    package let domain: KeyedState.TimerDomain
    /// The version of what times and payloads mean.
    package let schemaVersion: Int
    /// What it makes of armed timers of older versions.
    package let migration: MigrationDescription
}
