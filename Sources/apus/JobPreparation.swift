import ApusCore
import ApusGraph
import ApusJobFile
import ApusPluginHost
import ApusRuntime
import ApusState
import ArgumentParser

/// From a job file to a physical plan: reading, plugins, planning.
struct JobPreparation {
    /// What the user gave on the command line.
    struct Options {
        var file: String
        var parallelism: Int?
        var settings: [String]
    }

    private let world: World
    private let options: Options
    private let processorCount: Int

    init(world: World, options: Options, processorCount: Int) {
        self.world = world
        self.options = options
        self.processorCount = processorCount
    }

    /// Reads and checks the job file; prints warnings, and errors before it throws.
    func readJob() throws -> JobDescription {
        let overrides = try options.settings.map { setting in
            guard let split = setting.firstIndex(of: "=") else {
                throw ValidationError(
                    "--set \(setting): expected key=value, as in --set spec.parallelism=2"
                )
            }
            return (String(setting[..<split]), String(setting[setting.index(after: split)...]))
        }
        let bytes: [UInt8]
        do {
            bytes = try world.disk.readAll(
                options.file,
                maximumByteCount: JobFileReader.byteCountMax
            )
        } catch {
            Console.error(error.description)
            throw ExitStatus.invalid
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            Console.error("\(options.file): not UTF-8; expected a YAML text")
            throw ExitStatus.invalid
        }
        let result = JobFileReader.read(
            text: text,
            fileName: options.file,
            environment: world.environment,
            overrides: overrides
        )
        switch result {
        case .success(let file):
            if !file.warnings.isEmpty { Console.note(file.warningText) }
            let conflicts = FileConflicts(file.job, disk: world.disk).find()
            guard conflicts.isEmpty else {
                for conflict in conflicts { Console.note(conflict) }
                throw ExitStatus.invalid
            }
            return file.job
        case .failure(let errors):
            Console.note(errors.description)
            throw ExitStatus.invalid
        }
    }

    /// The plan of a job, with descriptions of its plugins got from a child process each.
    func explain(_ job: JobDescription) throws -> PhysicalPlan {
        let endpoints = EndpointPlugins(job)
        let search = PluginSearch(world: world, jobFile: options.file)
        var signatures: [String: OperatorSignature] = [:]
        for node in job.operators {
            do {
                let path = try search.find(node.plugin)
                let plugin = try PluginScan(world: world).describe(path)
                let found = try plugin.component(node.component, .operator, file: path)
                signatures[node.id] = found.signature
            } catch let error as PluginError {
                throw report(error, node, job)
            }
        }
        var sinks: [String: SinkSignature] = [:]
        for use in endpoints.uses {
            do {
                let path = try search.find(use.component.plugin, builtIn: use.builtIn)
                let plugin = try PluginScan(world: world).describe(path)
                let found = try plugin.component(use.component.component, use.kind, file: path)
                try use.check(found.abilities, file: path)
                if use.kind == .sink { sinks[use.node] = found.abilities.signature }
            } catch let error as PluginError {
                throw report(error, use, job)
            }
        }
        return try plan(job, signatures, sinks)
    }

    /// A job's plan, and its plugins.
    struct Loaded {
        let plan: PhysicalPlan
        /// By the ids of operators, and of sources and sinks of plugins.
        var implementations: [String: JobEnvironment.Implementation]
        /// By the ids of the sources and sinks that have one.
        var codecs: [String: JobEnvironment.Implementation]
    }

    /// The plan of a job with its plugins loaded into this process.
    func load(_ job: JobDescription) throws -> Loaded {
        let search = PluginSearch(world: world, jobFile: options.file)
        var signatures: [String: OperatorSignature] = [:]
        var implementations: [String: JobEnvironment.Implementation] = [:]
        for node in job.operators {
            do {
                let plugin = try world.loader.load(try search.find(node.plugin))
                let component = try plugin.componentIndex(node.component)
                signatures[node.id] = plugin.description.components[component].signature
                implementations[node.id] = JobEnvironment.Implementation(
                    plugin: plugin,
                    component: component
                )
            } catch {
                throw report(error, node, job)
            }
        }
        var sinks: [String: SinkSignature] = [:]
        var codecs: [String: JobEnvironment.Implementation] = [:]
        for use in EndpointPlugins(job).uses {
            do {
                let path = try search.find(use.component.plugin, builtIn: use.builtIn)
                let plugin = try world.loader.load(path)
                let index = try plugin.componentIndex(use.component.component, use.kind)
                let found = JobEnvironment.Implementation(plugin: plugin, component: index)
                let abilities = plugin.description.components[index].abilities
                try use.check(abilities, file: path)
                if use.kind == .sink { sinks[use.node] = abilities.signature }
                if use.kind == .codec {
                    codecs[use.node] = found
                } else {
                    implementations[use.node] = found
                }
            } catch {
                throw report(error, use, job)
            }
        }
        return Loaded(
            plan: try plan(job, signatures, sinks),
            implementations: implementations,
            codecs: codecs
        )
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

    private func report(
        _ error: PluginError,
        _ node: OperatorDescription,
        _ job: JobDescription
    ) -> ExitCode {
        Console.note(
            "\(job.fileName):\(node.location.line):\(node.location.column): "
                + "spec.operators[\(node.id)]: \(error.description)"
        )
        return ExitStatus.invalid
    }

    private func plan(
        _ job: JobDescription,
        _ signatures: [String: OperatorSignature],
        _ sinks: [String: SinkSignature]
    ) throws -> PhysicalPlan {
        let parallelism =
            options.parallelism ?? job.parallelism ?? min(processorCount, job.maxParallelism)
        do {
            return try PhysicalPlan.make(
                for: job,
                parallelism: parallelism,
                signatures: signatures,
                sinks: sinks
            )
        } catch {
            Console.note(error.description)
            throw ExitStatus.invalid
        }
    }
}

extension ComponentDescription {
    /// What the planner needs to know.
    var signature: OperatorSignature {
        OperatorSignature(
            outputs: outputs,
            isKeyed: isKeyed,
            acceptsMissingKey: acceptsNullKey,
            inputCount: inputCount,
            broadcastInputCount: broadcastInputCount,
            states: states.map(\.slot.name),
            isAsynchronous: isAsynchronous
        )
    }
}
