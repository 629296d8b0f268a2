package import ApusPluginHost
import ApusState

/// What an operator's component is as far as another version may or may not take over from it.
///
/// Made from a loaded plugin, from the report of a scan, or from the manifest of a checkpoint.
package struct ComponentShape: Codable, Equatable, Sendable {
    /// A state slot, a broadcast state or an operator state.
    package struct State: Codable, Equatable, Sendable {
        /// The name, unique among all states of the component.
        package var name: String
        /// "value", "counter", "list", "map", "broadcast", or "split" or "union" for operator
        /// state.
        package var kind: String
        /// The length of a value; nil when it varies, and for other kinds.
        package var fixedByteCount: Int?
        /// What the bytes mean.
        package var schemaVersion: Int
        /// What it makes of other versions.
        package var migration = Migration()

        /// Creates a state.
        package init(name: String, kind: String, fixedByteCount: Int? = nil, schemaVersion: Int) {
            self.name = name
            self.kind = kind
            self.fixedByteCount = fixedByteCount
            self.schemaVersion = schemaVersion
        }
    }

    /// A timer.
    package struct Timer: Codable, Equatable, Sendable {
        /// The name.
        package var name: String
        /// "event" or "processing".
        package var domain: String
        /// What times and payloads mean.
        package var schemaVersion: Int
        /// What it makes of armed timers of other versions.
        package var migration = Migration()

        /// Creates a timer.
        package init(name: String, domain: String, schemaVersion: Int = 1) {
            self.name = name
            self.domain = domain
            self.schemaVersion = schemaVersion
        }
    }

    /// What a version can do with bytes of other versions.
    package struct Migration: Codable, Equatable, Sendable {
        /// The oldest version that it reads; nil for none but its own.
        package var readsFrom: Int?
        /// Whether it also makes older bytes of its own.
        package var goesBack: Bool?
        /// The name in older versions; nil when it was the same.
        package var renamedFrom: String?

        /// Creates a migration that does nothing.
        package init() {}
    }

    /// The component's id.
    package var id: String
    /// Whether its records must have keys.
    package var isKeyed: Bool
    /// Whether it also takes records without a key, when it is keyed.
    package var acceptsMissingKey: Bool
    /// Inputs without the broadcast ones.
    package var inputCount: Int
    /// Broadcast inputs at most.
    package var broadcastInputCount: Int
    /// The outputs' names, the main one first.
    package var outputs: [String]
    /// Whether it makes asynchronous calls.
    package var isAsynchronous: Bool
    /// The slots of a key's row, in their order.
    package var states: [State]
    /// The timers, in their order.
    package var timers: [Timer]
    /// Broadcast states, in their order.
    package var broadcasts: [State]
    /// Operator states without the private snapshot, in their order.
    package var operatorStates: [State]
    /// The version of the private snapshot; nil when it has none.
    package var snapshotVersion: Int?

    /// Whether it keeps anything from one record to the next.
    package var hasState: Bool {
        !states.isEmpty || !timers.isEmpty || !broadcasts.isEmpty || !operatorStates.isEmpty
            || snapshotVersion != nil
    }

    /// Creates a shape without states.
    package init(id: String, isKeyed: Bool = true, outputs: [String] = ["out"]) {
        self.id = id
        self.isKeyed = isKeyed
        acceptsMissingKey = false
        inputCount = 1
        broadcastInputCount = 0
        self.outputs = outputs
        isAsynchronous = false
        states = []
        timers = []
        broadcasts = []
        operatorStates = []
    }

    /// The shape of a component whose plugin is loaded.
    package init(_ component: ComponentDescription) {
        self.init(id: component.id, isKeyed: component.isKeyed, outputs: component.outputs)
        acceptsMissingKey = component.acceptsNullKey
        inputCount = component.inputCount
        broadcastInputCount = component.broadcastInputCount
        isAsynchronous = component.isAsynchronous
        states = component.states.map { state in
            let (kind, fixedByteCount) = Self.kind(of: state.slot.kind)
            var shape = State(
                name: state.slot.name,
                kind: kind,
                fixedByteCount: fixedByteCount,
                schemaVersion: state.schemaVersion
            )
            shape.migration = Migration(state.migration, current: state.schemaVersion)
            return shape
        }
        timers = component.timers.map { timer in
            var shape = Timer(
                name: timer.name,
                domain: timer.domain == .event ? "event" : "processing",
                schemaVersion: timer.schemaVersion
            )
            shape.migration = Migration(timer.migration, current: timer.schemaVersion)
            return shape
        }
        broadcasts = component.broadcasts.map { state in
            var shape = State(
                name: state.name,
                kind: "broadcast",
                schemaVersion: state.schemaVersion
            )
            shape.migration = Migration(state.migration, current: state.schemaVersion)
            return shape
        }
        operatorStates = component.operatorStates.filter { $0.name != PrivateSnapshot.stateName }
            .map { state in
                var shape = State(
                    name: state.name,
                    kind: state.redistribution.rawValue,
                    schemaVersion: state.schemaVersion
                )
                shape.migration = Migration(state.migration, current: state.schemaVersion)
                return shape
            }
        snapshotVersion = component.snapshotVersion
    }

    private static func kind(of slot: SlotDescription.Kind) -> (String, Int?) {
        switch slot {
        case .fixedValue(let byteCount): ("value", byteCount)
        case .value: ("value", nil)
        case .counter: ("counter", nil)
        case .list: ("list", nil)
        case .map: ("map", nil)
        }
    }
}

extension ComponentShape.Migration {
    /// What a declaration says of other versions.
    init(_ migration: MigrationDescription, current: Int) {
        readsFrom = migration.oldestReadable == current ? nil : migration.oldestReadable
        goesBack = migration.isReversible ? true : nil
        renamedFrom = migration.renamedFrom
    }
}
