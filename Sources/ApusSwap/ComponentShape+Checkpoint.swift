package import ApusCheckpoint
import ApusPluginHost

extension ComponentShape {
    /// The shape of a component as a checkpoint knows it: its state, and not its ports.
    ///
    /// - Parameters:
    ///   - state: What the checkpoint says of the operator.
    ///   - other: Gives what the checkpoint does not say.
    package init(_ state: OperatorState, portsAs other: ComponentShape) {
        self = other
        id = state.plugin?.component ?? other.id
        states = state.states.map { declared in
            State(
                name: declared.name,
                kind: declared.kind,
                fixedByteCount: declared.fixedByteCount,
                schemaVersion: declared.schemaVersion
            )
        }
        timers = state.timers.map { declared in
            Timer(
                name: declared.name,
                domain: declared.domain,
                schemaVersion: declared.schemaVersion ?? 1
            )
        }
        broadcasts = (state.broadcast?.maps ?? []).map { map in
            State(name: map.name, kind: "broadcast", schemaVersion: map.schemaVersion)
        }
        let lists = state.operatorState?.lists ?? []
        operatorStates = lists.filter { $0.name != PrivateSnapshot.stateName }.map { list in
            State(name: list.name, kind: list.redistribution, schemaVersion: list.schemaVersion)
        }
        snapshotVersion = lists.first { $0.name == PrivateSnapshot.stateName }?.schemaVersion
    }
}
