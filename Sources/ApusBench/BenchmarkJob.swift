package import ApusGraph
package import ApusPluginHost
import ApusState

/// A job that a benchmark runs: source, one operator of the benchmark plugin, sink.
package struct BenchmarkJob: Sendable {
    /// The node whose input is counted.
    static let measuredNode = "operator"
    static let sink = "sink"

    /// The job's name; its checkpoints belong to it.
    package var name: String
    /// The component of the benchmark plugin.
    package var component: String
    /// Task threads.
    package var parallelism: Int
    /// Where state lives.
    package var durability: Durability
    /// Whether four operators of the component are a diamond: `top` feeds `left` and `right`, which
    /// feed `bottom`.
    package var isDiamond = false

    /// Creates a job.
    ///
    /// - Parameters:
    ///   - name: The job's name.
    ///   - component: The component of the benchmark plugin.
    ///   - parallelism: Task threads.
    ///   - durability: Where state lives; in memory by default.
    package init(
        name: String,
        component: String,
        parallelism: Int,
        durability: Durability = Durability()
    ) {
        self.name = name
        self.component = component
        self.parallelism = parallelism
        self.durability = durability
    }

    /// Plans the job.
    ///
    /// - Parameter plugin: The benchmark plugin.
    /// - Returns: The plan.
    /// - Throws: ``BenchmarkFailure`` when the plugin has no such component, or the job is wrong.
    package func plan(_ plugin: LoadedPlugin) throws(BenchmarkFailure) -> PhysicalPlan {
        do {
            let index = try plugin.componentIndex(component)
            let found = plugin.description.components[index]
            return try PhysicalPlan.make(
                for: description(isKeyed: found.isKeyed),
                parallelism: parallelism,
                signatures: Dictionary(
                    uniqueKeysWithValues: operators.map { own in
                        let signature = OperatorSignature(
                            outputs: found.outputs,
                            isKeyed: found.isKeyed,
                            acceptsMissingKey: found.acceptsNullKey,
                            inputCount: found.inputCount,
                            states: found.states.map(\.slot.name)
                        )
                        return (own.id, signature)
                    }
                )
            )
        } catch {
            throw BenchmarkFailure("\(error)")
        }
    }

    private var operators: [(id: String, inputs: [String])] {
        guard isDiamond else { return [(Self.measuredNode, ["source"])] }
        return [
            ("top", ["source"]), ("left", ["top"]), ("right", ["top"]),
            ("bottom", ["left", "right"]),
        ]
    }

    private func description(isKeyed: Bool) -> JobDescription {
        let location = SourceLocation(line: 1, column: 1)
        // What the source really makes is up to the benchmark's endpoints.
        let source = SourceDescription(
            id: "source",
            kind: .generator(GeneratorDescription(kind: .keyed(keyCount: 1, valueByteCount: 8))),
            location: location
        )
        return JobDescription(
            name: name,
            durability: durability,
            sources: [source],
            operators: operators.map { own in
                OperatorDescription(
                    id: own.id,
                    plugin: "benchmark",
                    component: component,
                    inputs: own.inputs.map { PortReference(node: $0, location: location) },
                    key: isKeyed ? .recordKey : nil,
                    location: location
                )
            },
            sinks: [
                SinkDescription(
                    id: Self.sink,
                    kind: .discard,
                    inputs: operators.suffix(1).map {
                        PortReference(node: $0.id, location: location)
                    },
                    location: location
                )
            ]
        )
    }
}
