import ApusPluginHost

/// Groups A and B: the file, and loading it.
enum FileChecks {
    static let all = [load]

    /// For a file that cannot be loaded every check fails or is skipped; this one says why.
    static let load = Check(
        id: "B15",
        name: "loads",
        demand: "The file is a library for this machine, with everything it needs, and its entry "
            + "function takes this host",
        strictness: 1,
        timeoutSeconds: 10,
        subject: .plugin
    ) { bench in
        .pass("\(bench.plugin.description.id) \(bench.plugin.description.version)")
    }
}
