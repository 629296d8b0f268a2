import ApusCore
import ApusIO
import ApusPluginHost
import ApusState
import CApusCheck
import CApusPlugin

/// What a check works with: the plugin, one of its components, and the settings.
///
/// One per check and process.
final class CheckBench {
    let check: Check
    let file: String
    let settings: CheckSettings
    let plugin: LoadedPlugin
    /// How long loading it took.
    let loadNanoseconds: Int64
    /// What the process was like before it was loaded.
    let linesBeforeLoading: [String]
    let componentIndex: Int
    /// What input has to know of the component.
    let component: ComponentSummary
    /// Real records, if there are any.
    let sample: [[UInt8]]
    /// The component's configuration.
    let configuration: String
    /// Where images of plugins are put.
    let imageDirectory: String
    /// Takes a line that says what the check is at, in case it does not come to its end.
    private let report: (String) -> Void

    let clock = LinuxClock()
    let threads = LinuxThreads()
    let disk = LinuxDisk()

    /// Loads the plugin.
    ///
    /// - Throws: ``PluginError`` when it cannot be loaded, ``CheckStop`` for bad settings.
    init(
        _ check: Check,
        file: String,
        component: String?,
        settings: CheckSettings,
        imageDirectory: String,
        report: @escaping (String) -> Void
    ) throws {
        self.check = check
        self.file = file
        self.settings = settings
        self.imageDirectory = imageDirectory
        self.report = report
        apus_check_note_libraries()
        linesBeforeLoading = Self.processLines(Self.allParts)
        let start = clock.monotonicNanoseconds()
        let plugin = try PluginLoader(disk: disk, imageDirectory: imageDirectory).load(file)
        loadNanoseconds = clock.monotonicNanoseconds() - start
        self.plugin = plugin
        componentIndex = try component.map { try plugin.componentIndex($0) } ?? 0
        let description = plugin.description.components[componentIndex]
        self.component = ComponentSummary(
            isKeyed: description.isKeyed,
            acceptsNullKey: description.acceptsNullKey,
            inputCount: description.inputCount,
            broadcastInputCount: description.broadcastInputCount
        )
        configuration =
            settings.configurations[description.id] ?? settings.configurations[""] ?? "{}"
        let disk = disk
        sample = try settings.sample.map { try Self.lines(of: $0, disk) } ?? []
        apus_check_set_owner("plugin \(plugin.description.id) \(plugin.description.version)")
        if check.hooks != 0 {
            _ = apus_check_hook(check.hooks)
        }
    }

    private static func lines(of path: String, _ disk: LinuxDisk) throws -> [[UInt8]] {
        do {
            return try disk.readAll(path, maximumByteCount: 256 << 20)
                .split(separator: 10).prefix(100_000).map(Array.init)
        } catch {
            throw CheckStop.fail("\(error) (--sample)")
        }
    }

    /// What the component says of itself.
    var description: ComponentDescription { plugin.description.components[componentIndex] }
    /// The component's own table.
    var table: UnsafePointer<apus_component> { plugin.componentTables[componentIndex] }

    /// Says what the check is at.
    func note(_ text: String) { report(text) }

    /// Random numbers that belong to the seed and the check.
    func numbers(_ round: Int = 0) -> SplitMix64 {
        SplitMix64(seed: SplitMix64.mix(settings.seed &+ UInt64(round) &* SplitMix64.gamma))
    }

    // MARK: - Running

    /// The plugin with a layer.
    func layered(_ change: (inout apus_check_rules) -> Void) -> LoadedPlugin {
        var rules = apus_check_rules()
        rules.floor = UInt32(plugin.description.abiFloor)
        change(&rules)
        return plugin.layered { component in
            // SAFETY: the layer never frees what it returns.
            apus_check_wrap(component, &rules) ?? component
        }
    }

    /// Runs a whole workload on a new instance.
    func run(
        _ plugin: LoadedPlugin,
        _ workload: Workload,
        batchSize: (Int) -> Int = { $0 }
    ) throws -> Transcript {
        try go(through: workload, OperatorRun(plugin, self), batchSize: batchSize)
    }

    /// Gives an instance that was just created all of a workload, and says what it did.
    func go(
        through workload: Workload,
        _ run: OperatorRun,
        batchSize: (Int) -> Int = { $0 }
    ) throws -> Transcript {
        try run.open()
        for step in workload.steps { try run.take(step, batchSize: batchSize) }
        _ = run.takeImage(keys: workload.keys)
        if run.transcript.failure == nil { try run.close() }
        return run.transcript
    }

    /// Runs a workload twice and gives what both runs did.
    ///
    /// - Throws: ``CheckStop`` when that cannot serve for comparisons, which is said.
    func baseline(_ workload: Workload) throws -> Transcript {
        let transcript = try run(plugin, workload)
        if let failure = transcript.failure {
            throw CheckStop.skip(
                "it failed on generated input (\(failure)); give real records with --sample, and "
                    + "its configuration with --config"
            )
        }
        guard let text = try run(plugin, workload).difference(from: transcript, names: outputs)
        else { return transcript }
        throw CheckStop.skip("two equal runs differ, see E49: \(text)")
    }

    /// Fails when a run differs from another one.
    func require(
        _ transcript: Transcript,
        equals expected: Transcript,
        _ when: @autoclosure () -> String
    ) throws {
        guard let text = transcript.difference(from: expected, names: outputs) else { return }
        throw CheckStop.fail("\(when()): \(text)")
    }

    /// The names of the outputs.
    var outputs: [String] { description.outputs }

    /// The violations of these kinds that were noted; see notes.h for the letters.
    func violations(_ kinds: String) -> [String] {
        (0..<apus_check_violation_count()).compactMap { index in
            let text = String(cString: apus_check_violation_text(index))
            guard let kind = text.first, kinds.contains(kind) else { return nil }
            return String(text.dropFirst())
        }
    }

    /// Fails when there are violations of these kinds.
    func requireNone(_ kinds: String) throws {
        let found = violations(kinds)
        guard !found.isEmpty else { return }
        throw CheckStop.fail(found.prefix(4).joined(separator: "; "))
    }

    /// Skips the check for operators that make asynchronous calls.
    func requireSynchronous() throws {
        guard description.isAsynchronous else { return }
        throw CheckStop.skip("it makes asynchronous calls, whose results this check does not await")
    }

    /// What was printed to standard output so far, in words; nil for nothing.
    var divertedOutput: String? {
        var text = [CChar](repeating: 0, count: 80)
        let byteCount = apus_check_diverted_output(&text, UInt64(text.count))
        guard byteCount > 0 else { return nil }
        let shown = text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:))
        return "\(byteCount) bytes: \(OutputRecord.text(shown))"
    }

    /// Everything that the process is like.
    static let allParts =
        APUS_CHECK_SETTINGS | APUS_CHECK_DESCRIPTORS | APUS_CHECK_THREADS

    /// What the process is like, by line.
    func processLines(_ parts: UInt32) -> [String] { Self.processLines(parts) }

    private static func processLines(_ parts: UInt32) -> [String] {
        var text = [CChar](repeating: 0, count: 16 << 10)
        apus_check_describe_process(&text, UInt64(text.count), parts)
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            .split(separator: "\n").map(String.init)
    }

    /// What has changed in the process, in words; nil when nothing has.
    func processChange(_ parts: UInt32, since before: [String]) -> String? {
        let now = processLines(parts)
        guard now != before else { return nil }
        let gone = before.filter { !now.contains($0) }.prefix(3)
        let new = now.filter { !before.contains($0) }.prefix(3)
        return "was [\(gone.joined(separator: "; "))], is [\(new.joined(separator: "; "))]"
    }
}
