import ApusCore
import ApusGraph
import ApusPluginHost
import Foundation

/// Finds the file of a plugin that a job names.
///
/// A name with a slash is a path relative to the job file.  A bare name `x` is `libx.so`, looked
/// for beside the job file, in the folders of `APUS_PLUGIN_PATH`, beside the program, and in
/// `../lib/apus` of the program.
struct PluginSearch {
    private let folders: [String]
    /// The folder of the job file.
    let jobFolder: String
    private let disk: any Disk

    /// Creates a search for a job file.
    init(world: World, jobFile: String) {
        disk = world.disk
        let folder = (jobFile as NSString).deletingLastPathComponent
        jobFolder = folder.isEmpty ? "." : folder
        let program = (CommandLine.arguments.first.map { _ in Self.programPath } ?? ".") as NSString
        let programFolder = program.deletingLastPathComponent
        let configured = (world.environment["APUS_PLUGIN_PATH"] ?? "").split(separator: ":")
        folders =
            [jobFolder] + configured.map(String.init)
            + [programFolder, (programFolder as NSString).deletingLastPathComponent + "/lib/apus"]
    }

    private static var programPath: String {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))  // no /proc
            ?? CommandLine.arguments[0]
    }

    /// Where a library of C functions is: a path, or a name that the dynamic linker looks for.
    func library(_ name: String) -> String {
        name.contains("/") && !name.hasPrefix("/") ? "\(jobFolder)/\(name)" : name
    }

    /// The file of a plugin.
    ///
    /// - Parameters:
    ///   - name: A name or a path.
    ///   - builtIn: Words that could have been meant instead.
    /// - Returns: Its path.
    /// - Throws: ``PluginError`` that lists where it was looked for.
    func find(_ name: String, builtIn: [String] = []) throws(PluginError) -> String {
        if name.contains("/") {
            return name.hasPrefix("/") || jobFolder == "." ? name : "\(jobFolder)/\(name)"
        }
        let candidates = folders.map { "\($0)/lib\(name).so" }
        if let found = candidates.first(where: disk.exists) { return found }
        throw PluginError(
            .unreadable,
            "plugin '\(name)'",
            "not found; looked for \(candidates.joined(separator: ", ")). Build it, give its path "
                + "(with a slash) in the job file, or set APUS_PLUGIN_PATH"
                + (NearestWord.find(name, among: builtIn).map { "; did you mean '\($0)'?" } ?? "")
        )
    }
}
