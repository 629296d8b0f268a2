package import ApusCore
package import ApusFunctions
package import ApusMemory
package import ApusPluginHost

/// What a job runs with: the seams and the plugins.
package struct JobEnvironment: Sendable {
    /// An operator's plugin and component.
    package struct Implementation: Sendable {
        /// The plugin.
        package let plugin: LoadedPlugin
        /// The index of the component in the plugin's description.
        package let component: Int
        /// Keeps the plugin loaded as long as an operator may be made of it.
        private let use: PluginUse?

        /// Creates a pair that keeps nothing loaded.
        package init(plugin: LoadedPlugin, component: Int) {
            self.plugin = plugin
            self.component = component
            use = nil
        }

        /// Creates a pair that keeps its plugin loaded.
        ///
        /// - Parameters:
        ///   - plugin: The plugin.
        ///   - component: The index of the component.
        ///   - user: Who uses it: the operator's id.
        /// - Throws: ``PluginError`` when it was unloaded.
        package init(plugin: LoadedPlugin, component: Int, user: String) throws(PluginError) {
            self.plugin = plugin
            self.component = component
            use = try plugin.use(by: user)
        }

        /// Keeps the plugin loaded no longer: no operator will be made of it.
        package func release() { use?.end() }

        /// What the component says of itself.
        package var description: ComponentDescription { plugin.description.components[component] }
    }

    let clock: any Clock
    let threads: any Threads
    let endpoints: any EndpointFactory
    let deadLetters: any DeadLetters
    let implementations: [String: Implementation]
    let codecs: [String: Implementation]
    let secrets: SecretTable?
    let functions: [String: BoundFunction]
    let checkpoints: CheckpointSettings?
    let notify: @Sendable (String) -> Void

    /// Creates an environment.
    ///
    /// - Parameters:
    ///   - clock: Both times.
    ///   - threads: Starts the task threads.
    ///   - endpoints: Makes sources and sinks.
    ///   - deadLetters: Takes rejected records.
    ///   - implementations: By the ids of operators, and of sources and sinks of plugins.
    ///   - codecs: By the ids of the sources and sinks that have one.
    ///   - secrets: What plugins may ask for.
    ///   - functions: By the ids of operators that are C functions.
    ///   - checkpoints: Where and how often checkpoints are taken, and which one to go on from; nil
    ///     for a job that begins anew each time.
    ///   - notify: Takes sentences for the user, such as that a source is idle.  Any thread.
    package init(
        clock: any Clock,
        threads: any Threads,
        endpoints: any EndpointFactory,
        deadLetters: any DeadLetters,
        implementations: [String: Implementation],
        codecs: [String: Implementation] = [:],
        secrets: SecretTable? = nil,
        functions: [String: BoundFunction] = [:],
        checkpoints: CheckpointSettings? = nil,
        notify: @escaping @Sendable (String) -> Void
    ) {
        self.clock = clock
        self.threads = threads
        self.endpoints = endpoints
        self.deadLetters = deadLetters
        self.implementations = implementations
        self.codecs = codecs
        self.secrets = secrets
        self.functions = functions
        self.checkpoints = checkpoints
        self.notify = notify
    }
}
