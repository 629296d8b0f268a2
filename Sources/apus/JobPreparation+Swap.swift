import ApusGraph
import ApusPluginHost
import ApusSwap

extension JobPreparation {
    /// The plugins of operators as the job file names them; nothing of them is loaded.
    func namedPlugins(of job: JobDescription) -> [String: SwapRecovery.Named] {
        let search = PluginSearch(world: world, jobFile: options.file)
        var named: [String: SwapRecovery.Named] = [:]
        for node in job.operators where node.function == nil {
            let path = try? search.find(node.plugin)  // Its version may be in the store.
            named[node.id] = SwapRecovery.Named(
                sha256: path.flatMap { try? world.loader.inspect($0).sha256 },  // As above.
                component: node.component
            )
        }
        return named
    }
}
