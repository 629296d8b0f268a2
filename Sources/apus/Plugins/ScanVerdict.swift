import ApusPluginHost
import Foundation

/// What a child process found out about a plugin by loading it: what it prints for its parent, and
/// what lies beside the plugin's private copy when all was well.
struct ScanVerdict: Codable {
    /// Why a plugin was refused.
    struct Refusal: Codable {
        var code: PluginError.Code
        var message: String
    }

    /// The version of Apus that scanned, with that of the ABI.
    var host = ScanVerdict.currentHost
    /// What the plugin says of itself; nil when it was refused.
    var report: PluginReport?
    /// Why it was refused.
    var refusal: Refusal?
    /// What kept the child from doing harm.
    var sandbox: ScanSandbox?
    /// What was changed by loading, creating and destroying.
    var changes: [ProcessChange] = []
    /// The libraries that came with it.
    var mapped: [String] = []
    /// An instance of each component with the configuration `{}`.
    var trials: [ComponentTrial] = []
    /// How the trials ended the process that made them; nil when they did not.
    var trialEnd: String?
    /// What it printed to standard output, where nothing belongs.
    var output = ""
    /// What it printed to standard error.
    var errorOutput = ""
    /// What it logged.
    var log: [String] = []
    /// How long loading took: constructors and the entry function.
    var loadMilliseconds = 0.0

    static let currentHost = "\(HostTable.version), ABI \(HostTable.abi)"

    /// What is worth a warning, a sentence each.
    var warnings: [String] {
        var warnings = changes.map { "it \($0.text)" }
        if !output.isEmpty {
            warnings.append(
                "it printed to standard output (\(output.utf8.count) bytes), where only results "
                    + "belong; use the host's log"
            )
        }
        if !errorOutput.isEmpty {
            warnings.append(
                "it printed to standard error (\(errorOutput.utf8.count) bytes); use the host's log"
            )
        }
        warnings += trials.filter { $0.outcome == .threw }.map {
            "create of '\($0.component)' threw an exception: \($0.message)"
        }
        if let trialEnd {
            warnings.append("create with the configuration {} ended the process: \(trialEnd)")
        }
        if loadMilliseconds > Self.slowMilliseconds {
            warnings.append(
                "loading took \(Int(loadMilliseconds)) ms; expected less than "
                    + "\(Int(Self.slowMilliseconds))"
            )
        }
        return warnings
    }

    private static let slowMilliseconds = 100.0

    /// The verdict as a line of JSON, without its end.
    func line() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    /// The last verdict of what a child has printed; nil when there is none.
    static func last(in output: [UInt8]) -> ScanVerdict? {
        let decoder = JSONDecoder()
        for line in output.split(separator: UInt8(ascii: "\n")).reversed() {
            let text = Data(line)
            let verdict = try? decoder.decode(ScanVerdict.self, from: text)  // Printed by a plugin.
            if let verdict { return verdict }
        }
        return nil
    }
}
