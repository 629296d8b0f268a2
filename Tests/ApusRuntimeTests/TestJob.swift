import ApusFunctions
import ApusGraph
import ApusIO
import ApusMemory
import ApusPluginHost
import ApusRuntime
import ApusTestPlugins
import Glibc
import Synchronization

/// A job of test endpoints and operators of the test plugins, built piece by piece.
struct TestJob {
    private static let place = SourceLocation(line: 1, column: 1)

    /// The plugins of the tests.
    enum Library {
        case probe
        case hostile
        case kinds
        case async
        /// The probe, compiled with the headers of ABI 0.1.
        case oldProbe
    }

    /// Loaded once; the private copies may go when they are loaded.
    private static let loaded: Result<[Library: LoadedPlugin], any Error> =
        Result {
            let folder = try TestFolder()
            let loader = PluginLoader(disk: LinuxDisk(), imageDirectory: folder.path)
            return [
                .probe: try loader.load(try TestPlugin.probe()),
                .hostile: try loader.load(try TestPlugin.hostile()),
                .kinds: try loader.load(try TestPlugin.kinds()),
                .async: try loader.load(try TestPlugin.async()),
                .oldProbe: try loader.load(try TestPlugin.oldProbe()),
            ]
        }

    private let plugins: [Library: LoadedPlugin]
    private var description: JobDescription
    private var implementations: [String: JobEnvironment.Implementation] = [:]
    private var functions: [String: BoundFunction] = [:]
    private var signatures: [String: OperatorSignature] = [:]

    var endpoints = TestEndpoints()
    var parallelism: Int
    var clock = TestClock()
    var threads = TestThreads()
    var deadLetters = TestDeadLetters()
    /// What each source does, seen from outside.
    private(set) var watches: [String: ScriptedSource.Watch] = [:]

    init(
        parallelism: Int,
        bufferTimeoutMicroseconds: Int64 = 5000,
        name: String = "job",
        maxParallelism: Int = 1024
    ) throws {
        plugins = try Self.loaded.get()
        self.parallelism = parallelism
        description = JobDescription(
            name: name,
            maxParallelism: maxParallelism,
            bufferTimeoutMicroseconds: bufferTimeoutMicroseconds,
            sources: []
        )
    }

    // MARK: - Pieces

    /// Adds a source with one subtask, as a file has.
    mutating func addSource(
        _ id: String,
        _ steps: [ScriptedSource.Step],
        endless: (@Sendable (Int) -> TestRecord)? = nil,
        isTimed: Bool = false,
        outOfOrder: Int64 = 0,
        idleAfter: Int64? = nil,
        isResumable: Bool = true
    ) {
        let format = RecordFormat(encoding: .jsonLines)
        addSource(
            id,
            .file(FileSourceDescription(path: id, format: format)),
            { _ in steps },
            endless: endless,
            isResumable: isResumable,
            watermark: isTimed
                ? WatermarkDescription(
                    timestamp: .field(path: ["t"], unit: .microseconds),
                    outOfOrderMicroseconds: outOfOrder,
                    idleAfterMicroseconds: idleAfter
                ) : nil
        )
    }

    /// Adds a source of records, see above.
    mutating func addSource(
        _ id: String,
        records: [TestRecord],
        isTimed: Bool = false,
        outOfOrder: Int64 = 0
    ) {
        addSource(id, records.map { .record($0) }, isTimed: isTimed, outOfOrder: outOfOrder)
    }

    /// Adds a source with as many subtasks as the job is parallel; its records carry keys.
    mutating func addParallelSource(
        _ id: String,
        outOfOrder: Int64 = 0,
        _ steps: @escaping @Sendable (_ subtask: Int) -> [ScriptedSource.Step],
        endless: (@Sendable (Int) -> TestRecord)? = nil
    ) {
        addSource(
            id,
            .generator(GeneratorDescription(kind: .keyed(keyCount: 1, valueByteCount: 8))),
            steps,
            endless: endless,
            watermark: WatermarkDescription(
                timestamp: .field(path: ["t"], unit: .microseconds),
                outOfOrderMicroseconds: outOfOrder,
                idleAfterMicroseconds: nil
            )
        )
    }

    private mutating func addSource(
        _ id: String,
        _ kind: SourceKind,
        _ steps: @escaping @Sendable (Int) -> [ScriptedSource.Step],
        endless: (@Sendable (Int) -> TestRecord)?,
        isResumable: Bool = true,
        watermark: WatermarkDescription?
    ) {
        let watch = ScriptedSource.Watch(isResumable: isResumable)
        watches[id] = watch
        addSource(id, kind, watermark: watermark) { (subtask, key) throws(EndpointError) in
            ScriptedSource(steps(subtask), endless: endless, key: key, watch: watch)
        }
    }

    /// Adds a source that a closure makes.
    mutating func addSource(
        _ id: String,
        _ kind: SourceKind,
        watermark: WatermarkDescription? = nil,
        make: @escaping TestEndpoints.MakeSource
    ) {
        endpoints.sources[id] = make
        description.sources.append(
            SourceDescription(id: id, kind: kind, watermark: watermark, location: Self.place)
        )
    }

    /// Adds an operator of the probe, or of another plugin.
    mutating func addOperator(
        _ id: String,
        _ component: String,
        _ inputs: [String],
        broadcasts: [String] = [],
        key: KeySelector? = nil,
        configuration: ConfigurationValue = .null,
        async: AsyncDescription? = nil,
        from library: Library = .probe
    ) throws {
        guard let plugin = plugins[library] else { return }
        let index = try plugin.componentIndex(component)
        let component = plugin.description.components[index]
        implementations[id] = JobEnvironment.Implementation(plugin: plugin, component: index)
        signatures[id] = OperatorSignature(
            outputs: component.outputs,
            isKeyed: component.isKeyed,
            acceptsMissingKey: component.acceptsNullKey,
            inputCount: component.inputCount,
            broadcastInputCount: component.broadcastInputCount,
            isAsynchronous: component.isAsynchronous
        )
        description.operators.append(
            OperatorDescription(
                id: id,
                plugin: "p",
                inputs: inputs.map(Self.reference),
                broadcasts: broadcasts.map(Self.reference),
                key: key,
                async: async,
                configuration: configuration,
                location: Self.place
            )
        )
    }

    /// Adds an operator that is a function of `Tests/Plugins/Functions`.
    mutating func addFunction(
        _ id: String,
        _ symbol: String,
        _ signature: String,
        _ arguments: [FunctionDescription.Argument],
        use: FunctionDescription.Use,
        _ inputs: [String],
        key: KeySelector? = nil,
        isThreadSafe: Bool = false,
        library: String? = nil
    ) throws {
        let function = FunctionDescription(
            library: "libtest.so",
            symbol: symbol,
            signature: try FunctionSignatureParser.parse(signature),
            arguments: arguments,
            use: use,
            isThreadSafe: isThreadSafe,
            location: Self.place
        )
        functions[id] = try BoundFunction(
            function,
            path: try library ?? TestPlugin.functions(),
            disk: LinuxDisk()
        )
        let node = OperatorDescription(
            id: id,
            plugin: "",
            function: function,
            inputs: inputs.map(Self.reference),
            key: key,
            location: Self.place
        )
        signatures[id] = .function(node)
        description.operators.append(node)
    }

    /// Adds a sink: one subtask as a file has, or as many as what it reads.
    @discardableResult
    mutating func addSink(
        _ id: String,
        _ inputs: [String],
        isParallel: Bool = false,
        _ behaviour: Collector.Behaviour = Collector.Behaviour()
    ) -> Collector {
        let collector = Collector(behaviour)
        endpoints.collectors[id] = collector
        describeSink(id, inputs, isParallel: isParallel)
        return collector
    }

    /// Adds a sink whose output becomes visible with checkpoints.
    mutating func addOutbox(
        _ id: String,
        _ inputs: [String],
        isParallel: Bool = false,
        _ target: OutboxTarget,
        logFolder: String
    ) {
        endpoints.outboxes[id] = (target, logFolder)
        describeSink(id, inputs, isParallel: isParallel)
    }

    private mutating func describeSink(_ id: String, _ inputs: [String], isParallel: Bool) {
        description.sinks.append(
            SinkDescription(
                id: id,
                kind: isParallel ? .discard : .file(path: id, appends: false),
                inputs: inputs.map(Self.reference),
                location: Self.place
            )
        )
    }

    private static func reference(_ text: String) -> PortReference {
        let parts = text.split(separator: ".").map(String.init)
        return PortReference(
            node: parts[0],
            port: parts.count > 1 ? parts[1] : nil,
            location: place
        )
    }

    // MARK: - At work

    /// Starts the job.
    func start(_ checkpoints: CheckpointSettings? = nil) throws -> RunningJob {
        let plan = try PhysicalPlan.make(
            for: description,
            parallelism: parallelism,
            signatures: signatures
        )
        let notes = RunningJob.Notes()
        let environment = JobEnvironment(
            clock: clock,
            threads: threads,
            endpoints: endpoints,
            deadLetters: deadLetters,
            implementations: implementations,
            functions: functions,
            checkpoints: checkpoints,
            notify: { notes.add($0) }
        )
        return RunningJob(
            run: try JobRun(plan: plan, environment: environment),
            notes: notes
        )
    }

    /// Runs the job to its end.
    @discardableResult
    func finish(seconds: Double = 30) throws -> JobRun.Summary {
        try start().wait(seconds: seconds)
    }
}

/// A job at work, with a limit to the patience of the test.
final class RunningJob: Sendable {
    /// What the job told the user.
    final class Notes: Sendable {
        private let kept: Mutex<[String]> = Mutex([])
        func add(_ note: String) { kept.withLock { $0.append(note) } }
        var all: [String] { kept.withLock { $0 } }
    }

    /// What a job took too long for.
    struct Late: Error, CustomStringConvertible {
        let description: String
    }

    let run: JobRun
    let notes: Notes

    init(run: JobRun, notes: Notes) {
        self.run = run
        self.notes = notes
    }

    /// Waits for the end.
    func wait(seconds: Double = 30) throws -> JobRun.Summary {
        do {
            try wait(for: "the end", seconds: seconds) { self.run.hasEnded }
        } catch {
            run.abort()  // Else its threads would run as long as the tests do.
            throw error
        }
        return run.wait()
    }

    /// Waits until something is so.
    func wait(for what: String, seconds: Double = 10, _ isSo: () -> Bool) throws {
        var milliseconds = 0
        while !isSo() {
            guard Double(milliseconds) < seconds * 1000 else {
                throw Late(description: "\(what) did not come within \(seconds) s")
            }
            usleep(1000)
            milliseconds += 1
        }
    }

    /// What a node has done so far.
    func node(_ id: String) -> JobProgress.Node? {
        run.progress().nodes.first { $0.id == id }
    }
}

extension KeySelector {
    /// The key in front of the value.
    static let prefix = KeySelector.field(path: ["k"])
}
