import ApusGraph
import ApusPluginHost
import ApusState

/// A plugin's description as `apus plugin describe --json` prints it; also what the scanning
/// child tells its parent.
struct PluginReport: Codable, Equatable {
    /// A component.
    struct Component: Codable, Equatable {
        var id: String
        var summary: String
        var keyed: Bool
        var acceptsNullKey: Bool
        var inputs: Int
        var outputs: [String]
        var states: [State]
        var timers: [Timer]
        var counters: [String]
        /// Left out when it takes none.
        var broadcastInputs: Int?
        /// "operator", "source", "sink" or "codec".
        var kind: String
        /// Left out when it makes no asynchronous calls.
        var asynchronous: Bool?
        /// What it promises of its output; left out when it promises nothing.
        var promises: [String]?
        /// Left out when it declares none.
        var histograms: [String]?
        /// The version of its private snapshot; left out when it has none.
        var snapshotVersion: Int?
        /// Of sinks and codecs: `flush`, `commit`, `decode`, `encode`; left out of others.
        var functions: [String]?

        /// What a sink or codec can do.
        var abilities: Abilities {
            Abilities.names.filter { functions?.contains($0.name) ?? false }
                .reduce(into: []) { $0.formUnion($1.ability) }
        }

        /// What the planner needs to know.
        var signature: OperatorSignature {
            var signature = OperatorSignature(
                outputs: outputs,
                isKeyed: keyed,
                acceptsMissingKey: acceptsNullKey,
                inputCount: inputs,
                broadcastInputCount: broadcastInputs ?? 0,
                states: states.filter(\.isKeyed).map(\.name),
                isAsynchronous: asynchronous ?? false
            )
            signature.formerStates = states.filter(\.isKeyed).compactMap(\.renamedFrom)
            return signature
        }
    }

    /// A state slot.
    struct State: Codable, Equatable {
        var name: String
        var kind: String
        var fixedLength: Int?
        var schemaVersion: Int
        var schema: String
        /// The oldest version that it can bring forward; left out when that is its own.
        var readsFromVersion: Int?
        /// Its name in older versions, if that was another one.
        var renamedFrom: String?
        /// Of operator state alone: "split" or "union".
        var redistribution: String?
        /// Whether it also makes older bytes of its own; left out when it does not.
        var goesBack: Bool?

        /// The same with what it makes of older versions.
        fileprivate func reading(_ migration: MigrationDescription, current: Int) -> Self {
            var state = self
            state.readsFromVersion =
                migration.oldestReadable == current ? nil : migration.oldestReadable
            state.renamedFrom = migration.renamedFrom
            state.goesBack = migration.isReversible ? true : nil
            return state
        }

        /// Whether each key has its own.
        var isKeyed: Bool { kind != "broadcast" && kind != "operator" }
    }

    /// A timer.
    struct Timer: Codable, Equatable {
        var name: String
        var domain: String
        /// What times and payloads mean; left out for version 1.
        var schemaVersion: Int?
        /// The oldest version whose armed timers it takes; left out when that is its own.
        var readsFromVersion: Int?

        fileprivate init(_ timer: TimerDescription) {
            name = timer.name
            domain = timer.domain == .event ? "event-time" : "processing-time"
            schemaVersion = timer.schemaVersion == 1 ? nil : timer.schemaVersion
            let oldest = timer.migration.oldestReadable
            readsFromVersion = oldest == timer.schemaVersion ? nil : oldest
        }
    }

    var id: String
    var version: String
    var vendor: String
    var abi: String
    var contentHash: String
    var components: [Component]

    init(_ plugin: LoadedPlugin) {
        let description = plugin.description
        id = description.id
        version = description.version
        vendor = description.vendor
        abi = "0.\(description.abiMinor)"
        contentHash = plugin.contentHash
        components = description.components.map { component in
            Component(
                id: component.id,
                summary: component.summary,
                keyed: component.isKeyed,
                acceptsNullKey: component.acceptsNullKey,
                inputs: component.inputCount,
                outputs: component.outputs,
                states: component.states.map(Self.report) + component.broadcasts.map(Self.report)
                    + component.operatorStates.map(Self.report),
                timers: component.timers.map(Timer.init),
                counters: component.counters.map(\.name),
                broadcastInputs: component.broadcastInputCount == 0
                    ? nil : component.broadcastInputCount,
                kind: component.kind.text,
                asynchronous: component.isAsynchronous ? true : nil,
                promises: component.promises.isEmpty ? nil : component.promises.names,
                histograms: component.histograms.isEmpty ? nil : component.histograms,
                snapshotVersion: component.snapshotVersion,
                functions: component.abilities == []
                    ? nil
                    : Abilities.names.filter { component.abilities.contains($0.ability) }
                        .map(\.name)
            )
        }
    }

    private static func report(_ state: BroadcastDescription) -> State {
        State(
            name: state.name,
            kind: "broadcast",
            fixedLength: nil,
            schemaVersion: state.schemaVersion,
            schema: state.schema
        ).reading(state.migration, current: state.schemaVersion)
    }

    private static func report(_ state: OperatorStateDescription) -> State {
        State(
            name: state.name,
            kind: "operator",
            fixedLength: nil,
            schemaVersion: state.schemaVersion,
            schema: state.schema,
            redistribution: state.redistribution.rawValue
        ).reading(state.migration, current: state.schemaVersion)
    }

    private static func report(_ state: StateDescription) -> State {
        var report = State(
            name: state.slot.name,
            kind: "",
            fixedLength: nil,
            schemaVersion: state.schemaVersion,
            schema: state.schema
        ).reading(state.migration, current: state.schemaVersion)
        switch state.slot.kind {
        case .fixedValue(let byteCount):
            report.kind = "value"
            report.fixedLength = byteCount
        case .value: report.kind = "value"
        case .counter: report.kind = "counter"
        case .list: report.kind = "list"
        case .map: report.kind = "map"
        }
        return report
    }

    /// A component by its id; nil means the only one of its kind.
    func component(
        _ id: String?,
        _ kind: ComponentKind,
        file: String
    ) throws(PluginError) -> Component {
        let kinds: [ComponentKind] = [.source, .operator, .sink, .codec]
        let entries = components.map { component in
            ComponentChoice.Entry(
                component.id,
                kinds.first { "\($0)" == component.kind } ?? .operator
            )
        }
        return components[try ComponentChoice(file: file, components: entries).index(of: id, kind)]
    }

    /// The report as text.
    var text: String {
        var lines = ["\(id) \(version) by \(vendor)  (ABI \(abi), content \(contentHash))"]
        for component in components {
            lines.append("")
            lines.append("\(component.kind) \(component.id)  \(component.summary)")
            if let functions = component.functions {
                lines.append("  functions \(functions.joined(separator: ", "))")
            }
            let key =
                component.keyed
                ? (component.acceptsNullKey ? "keyed, also takes records without key" : "keyed")
                : "not keyed"
            var inputs = "\(component.inputs) input\(component.inputs == 1 ? "" : "s")"
            if let count = component.broadcastInputs { inputs += ", \(count) for broadcast" }
            lines.append("  \(key); \(inputs)")
            if component.asynchronous ?? false { lines.append("  makes asynchronous calls") }
            if let promises = component.promises {
                lines.append("  promises  \(promises.joined(separator: ", "))")
            }
            lines.append("  outputs   \(component.outputs.joined(separator: ", "))")
            for state in component.states {
                let length =
                    state.fixedLength.map { " of \($0) bytes" }
                    ?? state.redistribution.map { " (\($0))" } ?? ""
                lines.append(
                    "  state     \(state.name): \(state.kind)\(length), schema "
                        + "\(state.schemaVersion)"
                        + (state.schema.isEmpty ? "" : " \(state.schema)")
                        + (state.readsFromVersion.map { ", reads from \($0) on" } ?? "")
                        + (state.renamedFrom.map { ", was '\($0)'" } ?? "")
                )
            }
            for timer in component.timers {
                lines.append(
                    "  timer     \(timer.name): \(timer.domain)"
                        + (timer.schemaVersion.map { ", version \($0)" } ?? "")
                        + (timer.readsFromVersion.map { ", takes \($0) on" } ?? "")
                )
            }
            for counter in component.counters { lines.append("  counter   \(counter)") }
            for name in component.histograms ?? [] { lines.append("  histogram \(name)") }
        }
        return lines.joined(separator: "\n")
    }
}
