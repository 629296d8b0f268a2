import ApusCore
import ApusFunctions
import ApusGraph
import ApusJobFile
import ApusPluginHost
import ApusRuntime
import ApusState
import ArgumentParser

/// From a job file to a physical plan: reading, plugins, planning.
struct JobPreparation: Sendable {
    /// What the user gave on the command line.
    struct Options: Sendable {
        var file: String
        var parallelism: Int?
        var settings: [String]
        var pluginsLock: String?
        var allowsUnlisted = false
        /// A copy of the file's content as it was once; nil to read the file itself.
        var copy: String?
    }

    let world: World
    let options: Options
    private let processorCount: Int

    init(world: World, options: Options, processorCount: Int) {
        self.world = world
        self.options = options
        self.processorCount = processorCount
    }

    /// The same of another job file.
    ///
    /// - Parameters:
    ///   - file: Where it is; what it names by relative paths lies beside it.
    ///   - copy: A copy of its content as it was once; nil to read the file itself.
    /// - Returns: What reads it, with the same options.
    func of(_ file: String, copy: String? = nil) -> JobPreparation {
        var options = options
        options.file = file
        options.copy = copy
        return JobPreparation(world: world, options: options, processorCount: processorCount)
    }

    /// Reads and checks the job file; prints warnings, and errors before it throws.
    func readJob() throws -> JobDescription { try read().job }

    /// The same, with the content that it was read from.
    func read() throws -> JobSource {
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
                options.copy ?? options.file,
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
            return JobSource(
                preparation: self,
                bytes: bytes,
                sha256: FileDigest.sha256(bytes),
                job: file.job
            )
        case .failure(let errors):
            Console.note(errors.description)
            throw ExitStatus.invalid
        }
    }

    /// The plan of a job, with descriptions of its plugins got from a child process each.
    ///
    /// - Parameters:
    ///   - job: The job.
    ///   - choices: Plugins to describe instead of those that the job file names, by operator.
    ///   - parallelism: The number of subtasks; nil for what the user or the job file says.
    /// - Returns: The plan.
    /// - Throws: The status to end with, after it has said what is wrong.
    func explain(
        _ job: JobDescription,
        choices: [String: Choice] = [:],
        parallelism: Int? = nil
    ) throws -> PhysicalPlan {
        let search = PluginSearch(world: world, jobFile: options.file)
        let admission = try admission()
        var signatures: [String: OperatorSignature] = [:]
        for node in job.operators {
            if let function = node.function {
                signatures[node.id] = try check(function, of: node, search, job)
                continue
            }
            do {
                let choice = choices[node.id]
                let path = try choice?.path ?? search.find(node.plugin)
                let plugin = try admission.describe(path)
                let found = try plugin.component(
                    choice?.component ?? node.component,
                    .operator,
                    file: path
                )
                signatures[node.id] = found.signature
            } catch let error as PluginError {
                throw report(error, node, job)
            }
        }
        return try plan(
            job,
            signatures,
            try describeEndpoints(of: job, search, admission),
            parallelism: parallelism
        )
    }

    /// A plan, and what its operators are.
    struct Loaded {
        /// What it was made of.
        var source: JobSource
        var plan: PhysicalPlan
        var implementations: [String: JobEnvironment.Implementation]
        var functions: [String: BoundFunction]
        /// By the ids of the sources and sinks that have one.
        var codecs: [String: JobEnvironment.Implementation]

        /// Keeps its plugins loaded no longer.
        func release() {
            for implementation in implementations.values { implementation.release() }
            for codec in codecs.values { codec.release() }
        }
    }

    /// A plugin that runs instead of the one that the job file names.
    struct Choice {
        /// Its file.
        var path: String
        /// Its component.
        var component: String
    }

    /// The plan of a job with its plugins loaded into this process.
    ///
    /// - Parameters:
    ///   - source: The job, as ``read()`` has it.
    ///   - admission: Decides which plugins may come in.
    ///   - choices: Plugins to load instead of those that the job file names, by operator.
    ///   - parallelism: The number of subtasks; nil for what the user or the job file says.
    /// - Returns: The plan and the plugins.
    /// - Throws: The status to end with, after it has said what is wrong.
    func load(
        _ source: JobSource,
        _ admission: PluginAdmission,
        choices: [String: Choice] = [:],
        parallelism: Int? = nil
    ) throws -> Loaded {
        let job = source.job
        let search = PluginSearch(world: world, jobFile: options.file)
        var signatures: [String: OperatorSignature] = [:]
        var implementations: [String: JobEnvironment.Implementation] = [:]
        var functions: [String: BoundFunction] = [:]
        for node in job.operators {
            if let function = node.function {
                signatures[node.id] = try check(function, of: node, search, job)
                functions[node.id] = try bind(function, of: node, search, job)
                continue
            }
            do {
                let choice = choices[node.id]
                let plugin = try admission.load(try choice?.path ?? search.find(node.plugin))
                let component = try plugin.componentIndex(choice?.component ?? node.component)
                signatures[node.id] = plugin.description.components[component].signature
                // As long as it is not swapped, the job may make instances of it.
                implementations[node.id] = try JobEnvironment.Implementation(
                    plugin: plugin,
                    component: component,
                    user: node.id
                )
            } catch let error as PluginError {
                throw report(error, node, job)
            }
        }
        let endpoints = try loadEndpoints(of: job, search, admission)
        implementations.merge(endpoints.implementations) { $1 }
        return Loaded(
            source: source,
            plan: try plan(job, signatures, endpoints.sinks, parallelism: parallelism),
            implementations: implementations,
            functions: functions,
            codecs: endpoints.codecs
        )
    }

    // MARK: - C functions

    /// Has a child process try a function.
    private func check(
        _ function: FunctionDescription,
        of node: OperatorDescription,
        _ search: PluginSearch,
        _ job: JobDescription
    ) throws -> OperatorSignature {
        do {
            let report = try FunctionScan(world: world)
                .trial(function, path: search.library(function.library))
            return .function(node, details: report.details)
        } catch {
            throw self.report(error, function, node, job)
        }
    }

    /// Loads a function's library into this process.
    private func bind(
        _ function: FunctionDescription,
        of node: OperatorDescription,
        _ search: PluginSearch,
        _ job: JobDescription
    ) throws -> BoundFunction {
        do {
            return try BoundFunction(
                function,
                path: search.library(function.library),
                disk: world.disk
            )
        } catch {
            throw report(error, function, node, job)
        }
    }

    private func report(
        _ error: FunctionError,
        _ function: FunctionDescription,
        _ node: OperatorDescription,
        _ job: JobDescription
    ) -> ExitCode {
        Console.note(
            "\(job.fileName):\(function.location.line):\(function.location.column): "
                + "spec.operators[\(node.id)].function: \(error.description)"
        )
        return ExitStatus.invalid
    }

    /// Decides which plugins may be loaded.
    func admission() throws -> PluginAdmission {
        do throws(PluginsLockError) {
            return try PluginAdmission.forJob(
                world,
                named: options.pluginsLock,
                folder: PluginSearch(world: world, jobFile: options.file).jobFolder,
                allowsUnlisted: options.allowsUnlisted
            )
        } catch {
            Console.error(error.description)
            throw ExitStatus.invalid
        }
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

    /// How many subtasks the user or the job file wants.
    func parallelism(of job: JobDescription) -> Int {
        options.parallelism ?? job.parallelism ?? min(processorCount, job.maxParallelism)
    }

    private func plan(
        _ job: JobDescription,
        _ signatures: [String: OperatorSignature],
        _ sinks: [String: SinkSignature],
        parallelism: Int? = nil
    ) throws -> PhysicalPlan {
        do {
            return try PhysicalPlan.make(
                for: job,
                parallelism: parallelism ?? self.parallelism(of: job),
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
        var signature = OperatorSignature(
            outputs: outputs,
            isKeyed: isKeyed,
            acceptsMissingKey: acceptsNullKey,
            inputCount: inputCount,
            broadcastInputCount: broadcastInputCount,
            states: states.map(\.slot.name),
            isAsynchronous: isAsynchronous
        )
        signature.formerStates = states.compactMap(\.migration.renamedFrom)
        return signature
    }
}
