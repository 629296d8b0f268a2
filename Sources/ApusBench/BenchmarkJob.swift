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
                signatures: [
                    Self.measuredNode: OperatorSignature(
                        outputs: found.outputs,
                        isKeyed: found.isKeyed,
                        acceptsMissingKey: found.acceptsNullKey,
                        inputCount: found.inputCount,
                        states: found.states.map(\.slot.name)
                    )
                ]
            )
        } catch {
            throw BenchmarkFailure("\(error)")
        }
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
            operators: [
                OperatorDescription(
                    id: Self.measuredNode,
                    plugin: "benchmark",
                    component: component,
                    inputs: [PortReference(node: "source", location: location)],
                    key: isKeyed ? .recordKey : nil,
                    location: location
                )
            ],
            sinks: [
                SinkDescription(
                    id: Self.sink,
                    kind: .discard,
                    inputs: [PortReference(node: Self.measuredNode, location: location)],
                    location: location
                )
            ]
        )
    }
}
