import ApusSwap

extension ComponentShape {
    /// The shape of a component that a scan has described.
    init(_ component: PluginReport.Component) {
        self.init(id: component.id, isKeyed: component.keyed, outputs: component.outputs)
        acceptsMissingKey = component.acceptsNullKey
        inputCount = component.inputs
        broadcastInputCount = component.broadcastInputs ?? 0
        isAsynchronous = component.asynchronous ?? false
        func shape(_ state: PluginReport.State, _ kind: String) -> State {
            var shape = State(
                name: state.name,
                kind: kind,
                fixedByteCount: state.fixedLength,
                schemaVersion: state.schemaVersion
            )
            shape.migration.readsFrom = state.readsFromVersion
            shape.migration.renamedFrom = state.renamedFrom
            shape.migration.goesBack = state.goesBack
            return shape
        }
        states = component.states.filter(\.isKeyed).map { shape($0, $0.kind) }
        broadcasts = component.states.filter { $0.kind == "broadcast" }
            .map { shape($0, "broadcast") }
        operatorStates = component.states
            .filter { $0.kind == "operator" && !$0.name.hasPrefix("@") }
            .map { shape($0, $0.redistribution ?? "split") }
        timers = component.timers.map { timer in
            var shape = Timer(
                name: timer.name,
                domain: timer.domain == "event-time" ? "event" : "processing",
                schemaVersion: timer.schemaVersion ?? 1
            )
            shape.migration.readsFrom = timer.readsFromVersion
            return shape
        }
        snapshotVersion = component.snapshotVersion
    }
}
