import ApusCore
import ApusIO
import ApusPluginHost

/// The checks of `apus plugin check`, for the tests of plugins that are written in Swift.
///
/// ```swift
/// @Test func keepsTheContract() throws {
///     let report = PluginCheck(file: ".build/debug/libvisits.so").run()
///     #expect(report.isGood, "\(report.results.filter(\.isBad))")
/// }
/// ```
///
/// Here all checks run in the process of the test: a plugin that crashes ends it.  Where that is
/// not wanted, and from other languages, run `apus plugin check FILE --json`, which has a process
/// for each check; its output is a ``CheckReport``.
public struct PluginCheck: Sendable {
    /// The plugin's file.
    public var file: String
    /// What the checks get: configuration, real records, seed.
    public var settings = CheckSettings()
    /// Checks with a higher strictness are left out; 5 is what `plugins.lock` asks for.
    public var strictness = 5
    /// The ids of the checks that are wanted, such as "E48"; nil for all.
    public var only: Set<String>?
    /// A folder for the copy of the file that is loaded.
    public var folder: String

    /// Creates a check of a file.
    ///
    /// - Parameters:
    ///   - file: The plugin (.so).
    ///   - folder: Where a copy of it may be put; it is made when missing.
    public init(file: String, folder: String = ".build/apus-check") {
        self.file = file
        self.folder = folder
    }

    /// Runs the checks, one after the other.
    ///
    /// - Returns: How they came out.
    public func run() -> CheckReport {
        var session = CheckSession(
            file: file,
            settings: settings,
            imageDirectory: folder,
            processes: nil,
            threads: LinuxThreads()
        )
        session.strictness = strictness
        let only = only
        session.isWanted = { text in
            // What hooks the plugin's calls, or changes the process, is for a process of its own.
            let id = String(text.prefix { $0 != " " })
            guard let check = CheckCatalogue.check(id), check.hooks == 0, id != "D46" else {
                return false
            }
            return only?.contains(id) ?? true
        }
        let loader = PluginLoader(disk: LinuxDisk(), imageDirectory: folder)
        let plugin = try? loader.load(file)  // Why it cannot be loaded is what B15 says.
        let components = plugin?.description.components.map { ($0.id, $0.kind) }
        let results = session.run(components: components) { _ in }
        return CheckReport(
            file: file,
            seed: settings.seed,
            strictness: strictness,
            results: results
        )
    }
}
