import ApusGraph
import ApusPluginHost
import ApusRuntime
import ArgumentParser

/// The plugins of sources and sinks, described or loaded.
extension JobPreparation {
    /// What the plugins of sources and sinks are, loaded into this process.
    struct LoadedEndpoints {
        /// What the planner needs to know of sinks, by their ids.
        var sinks: [String: SinkSignature] = [:]
        /// By the ids of sources and sinks of plugins.
        var implementations: [String: JobEnvironment.Implementation] = [:]
        /// By the ids of the sources and sinks that have one.
        var codecs: [String: JobEnvironment.Implementation] = [:]
    }

    /// What the plugins of sinks say, got from a child process each; those of sources and codecs
    /// are looked at as well.
    func describeEndpoints(
        of job: JobDescription,
        _ search: PluginSearch,
        _ admission: PluginAdmission
    ) throws -> [String: SinkSignature] {
        var sinks: [String: SinkSignature] = [:]
        for use in EndpointPlugins(job).uses {
            do {
                let path = try search.find(use.component.plugin, builtIn: use.builtIn)
                let plugin = try admission.describe(path)
                let found = try plugin.component(use.component.component, use.kind, file: path)
                try use.check(found.abilities, file: path)
                if use.kind == .sink { sinks[use.node] = found.abilities.signature }
            } catch let error as PluginError {
                throw report(error, use, job)
            }
        }
        return sinks
    }

    /// Loads the plugins of sources, sinks and codecs.
    func loadEndpoints(
        of job: JobDescription,
        _ search: PluginSearch,
        _ admission: PluginAdmission
    ) throws -> LoadedEndpoints {
        var loaded = LoadedEndpoints()
        for use in EndpointPlugins(job).uses {
            do {
                let path = try search.find(use.component.plugin, builtIn: use.builtIn)
                let plugin = try admission.load(path)
                // As long as the job is there, it may make instances of it.
                try plugin.keep(for: use.node)
                let index = try plugin.componentIndex(use.component.component, use.kind)
                let found = JobEnvironment.Implementation(plugin: plugin, component: index)
                let abilities = plugin.description.components[index].abilities
                try use.check(abilities, file: path)
                if use.kind == .sink { loaded.sinks[use.node] = abilities.signature }
                if use.kind == .codec {
                    loaded.codecs[use.node] = found
                } else {
                    loaded.implementations[use.node] = found
                }
            } catch let error as PluginError {
                throw report(error, use, job)
            }
        }
        return loaded
    }

    private func report(
        _ error: PluginError,
        _ use: EndpointPlugins.Use,
        _ job: JobDescription
    ) -> ExitCode {
        let place = use.component.location
        Console.note(
            "\(job.fileName):\(place.line):\(place.column): \(use.path): \(error.description)"
        )
        return ExitStatus.invalid
    }
}
