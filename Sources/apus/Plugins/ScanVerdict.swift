import ApusPluginHost

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
        if loadMilliseconds > Self.slowMilliseconds {
            warnings.append(
                "loading took \(Int(loadMilliseconds)) ms; expected less than "
                    + "\(Int(Self.slowMilliseconds))"
            )
        }
        return warnings
    }

    private static let slowMilliseconds = 100.0
}
