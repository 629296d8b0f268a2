package import ApusCore
package import ApusGraph
package import ApusPluginHost
package import ApusRuntime

/// What a benchmark runs a job with.
package struct BenchmarkSetup: Sendable {
    let plan: PhysicalPlan
    let component: String
    let plugin: LoadedPlugin
    let checkpoints: CheckpointSettings?
    let clock: any Clock
    private let threads: any Threads
    private let notify: @Sendable (String) -> Void

    /// Creates a setup.
    ///
    /// - Parameters:
    ///   - plan: Of a ``BenchmarkJob`` with this component.
    ///   - component: The component of the plugin.
    ///   - plugin: The benchmark plugin.
    ///   - checkpoints: Where state and checkpoints are; nil for state in memory alone.
    ///   - clock: Both times.
    ///   - threads: Starts the task threads.
    ///   - notify: Takes what the job says to its user; any thread.
    package init(
        plan: PhysicalPlan,
        component: String,
        plugin: LoadedPlugin,
        checkpoints: CheckpointSettings?,
        clock: any Clock,
        threads: any Threads,
        notify: @escaping @Sendable (String) -> Void
    ) {
        self.plan = plan
        self.component = component
        self.plugin = plugin
        self.checkpoints = checkpoints
        self.clock = clock
        self.threads = threads
        self.notify = notify
    }

    /// How many task threads there are.
    var taskThreadCount: Int { plan.parallelism }

    /// The time, in monotonic nanoseconds.
    var now: Int64 { clock.monotonicNanoseconds() }

    /// Where the state's figures come from; nil for state in memory alone.
    var state: CheckpointSettings.DurableState? { checkpoints?.state }

    /// Starts the job.
    func start(_ endpoints: BenchmarkEndpoints) throws(BenchmarkFailure) -> JobRun {
        do {
            let implementation = JobEnvironment.Implementation(
                plugin: plugin,
                component: try plugin.componentIndex(component)
            )
            let operators = plan.nodes.filter { node in
                if case .operator = node.role { true } else { false }
            }
            return try JobRun(
                plan: plan,
                environment: JobEnvironment(
                    clock: clock,
                    threads: threads,
                    endpoints: endpoints,
                    deadLetters: NoDeadLetters(),
                    implementations: Dictionary(
                        uniqueKeysWithValues: operators.map { ($0.id, implementation) }
                    ),
                    checkpoints: checkpoints,
                    notify: notify
                )
            )
        } catch {
            throw BenchmarkFailure("\(error)")
        }
    }
}

extension JobRun {
    /// Waits for the end.
    ///
    /// - Throws: ``BenchmarkFailure`` when the job has failed.
    func finish() throws(BenchmarkFailure) -> Summary {
        let summary = wait()
        if case .failed(let failure) = summary.end {
            throw BenchmarkFailure(failure.description)
        }
        return summary
    }

    /// Records that a node has taken so far.
    func recordsIn(_ node: String) -> Int {
        progress().nodes.first { $0.id == node }?.recordsIn ?? 0
    }
}
