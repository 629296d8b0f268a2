import ApusCheckpoint
import ApusGraph
import ApusPluginHost
import ApusState
import ApusSwap

/// Rows of older versions that a checkpoint has and nobody has taken over yet.
extension JobAssembly {
    /// Has an instance take over what older versions have left.
    ///
    /// - Throws: ``JobFailure`` when the plugin cannot read it.
    func addOrigins(
        to instance: OperatorInstance,
        _ arguments: InstanceArguments,
        _ node: PlanNode,
        _ subtask: Int,
        _ implementation: JobEnvironment.Implementation
    ) throws(JobFailure) {
        guard let state = instance.state, var tier = arguments.tier else { return }
        for origin in restore.origins(node.id) {
            let new = ComponentShape(implementation.description)
            let change = ComponentChange(
                from: ComponentShape(origin, portsAs: new),
                to: new
            )
            let rows = change.parts.filter { $0.kind == .state || $0.kind == .timer }
            if let obstacle = rows.first(where: { $0.verdict == .incompatible }) {
                throw JobFailure(
                    .environment,
                    node: node.id,
                    "checkpoint \(restore.manifest?.number ?? 0) has rows of an older version "
                        + "(\(origin.plugin?.contentHash ?? "?")) that nobody has taken over, and "
                        + "\(obstacle.kind.rawValue) '\(obstacle.name)' \(obstacle.reason ?? "?")"
                )
            }
            tier.operatorNumber = origin.number
            tier.isRestored = true
            tier.restored = subtask == 0 ? restore.totals(ofRows: origin.number) : StateTotals()
            let old = KeyedState(
                slots: origin.states.map { old in
                    // A rule is for the state that it has become, if its own name has none.
                    let heir = implementation.description.states
                        .first { $0.migration.renamedFrom == old.name }
                    let own = arguments.expiries[old.name]
                    return old.slot(expiry: own ?? heir?.expiry(arguments))
                },
                timers: origin.timers.map { $0.domain == "event" ? .event : .processing },
                groups: groups,
                tier: tier
            )
            do throws(PluginError) {
                let step = try change.step(
                    by: implementation,
                    owner: "operator \(node.id), subtask \(subtask)",
                    isBack: false
                )
                state.addOrigin(old, StateMigration([step]))
            } catch {
                throw JobFailure(.plugin, node: node.id, error.description)
            }
        }
    }
}

extension StateDeclaration {
    /// The slot that was declared so.
    fileprivate func slot(expiry: SlotExpiry?) -> SlotDescription {
        let kind: SlotDescription.Kind =
            switch self.kind {
            case "counter": .counter
            case "list": .list
            case "map": .map
            default: fixedByteCount.map { .fixedValue(byteCount: $0) } ?? .value
            }
        return SlotDescription(
            name: name,
            kind: kind,
            schemaVersion: UInt16(truncatingIfNeeded: schemaVersion),
            expiry: expiry
        )
    }
}
