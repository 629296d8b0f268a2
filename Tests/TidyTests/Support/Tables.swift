/// What the tidy tests measure against: the one file to edit when the project grows.
enum Tables {
    /// The modules, bottom layer first, and what each may import.
    ///
    /// A module may import only modules of rows above its own; a folder under `Sources` or
    /// `sdk/swift` without a row fails.  `Plugins/*` and `samples/*` stand for everything there.
    static let layers: [Layer] = [
        Layer("ApusCore", imports: ["Synchronization"]),
        Layer("ApusMemory", imports: ["ApusCore", "CApusPlugin", "CApusShims", "Synchronization"]),
        Layer("ApusGraph", imports: []),
        Layer("ApusGenerators", imports: []),
        Layer(
            "ApusStore",
            imports: ["ApusCore", "CApusShims", "CRocksDB", "Glibc", "Synchronization"]
        ),
        Layer(
            "ApusCheckpoint",
            imports: ["ApusCore", "CApusShims", "Foundation", "Synchronization"]
        ),
        Layer(
            "ApusState",
            imports: [
                "ApusCore", "ApusMemory", "ApusStore", "CApusPlugin", "CApusShims",
                "Synchronization",
            ]
        ),
        Layer(
            "ApusStateTools",
            imports: [
                "ApusCore", "ApusGraph", "ApusStore", "ApusCheckpoint", "ApusState",
                "CApusShims", "Foundation", "Synchronization",
            ]
        ),
        Layer(
            "ApusPluginHost",
            imports: [
                "ApusCore", "ApusMemory", "ApusState", "ApusStore", "CApusPlugin", "CApusShims",
                "CApusGuard", "Crypto", "Glibc", "Synchronization",
            ]
        ),
        Layer(
            "ApusFunctions",
            imports: [
                "ApusCore", "ApusMemory", "ApusGraph", "CApusPlugin", "CApusFunctions",
                "CApusGuard", "CApusJSON", "Glibc", "Synchronization",
            ]
        ),
        Layer(
            "ApusIO",
            imports: [
                "ApusCore", "ApusMemory", "CApusPlugin", "CApusShims", "CApusJSON", "CApusZlib",
                "Glibc", "Synchronization",
            ]
        ),
        Layer(
            "ApusSwap",
            imports: [
                "ApusCore", "ApusCheckpoint", "ApusState", "ApusPluginHost", "Foundation",
                "Synchronization",
            ]
        ),
        Layer(
            "ApusRuntime",
            imports: [
                "ApusCore", "ApusMemory", "ApusGraph", "ApusState", "ApusStore", "ApusCheckpoint",
                "ApusPluginHost", "ApusFunctions", "ApusSwap", "CApusPlugin", "CApusShims",
                "Synchronization",
            ]
        ),
        Layer("ApusControl", imports: ["ApusCore", "Foundation", "Synchronization"]),
        Layer("ApusJobFile", imports: ["ApusGraph", "Yams", "Foundation"]),
        Layer(
            "ApusBench",
            imports: [
                "ApusCore", "ApusMemory", "ApusGraph", "ApusStore", "ApusCheckpoint", "ApusState",
                "ApusPluginHost", "ApusFunctions", "ApusIO", "ApusRuntime", "ApusSwap",
                "CApusShims", "CApusFunctions", "CApusBareLoop", "CApusPlugin", "Synchronization",
            ]
        ),
        Layer(
            "ApusPluginCheck",
            imports: [
                "ApusCore", "ApusMemory", "ApusState", "ApusPluginHost", "ApusIO", "CApusPlugin",
                "CApusGuard", "CApusCheck", "Foundation", "Synchronization",
            ]
        ),
        Layer(
            "apus",
            imports: [
                "ApusCore", "ApusMemory", "ApusGraph", "ApusGenerators", "ApusStore",
                "ApusCheckpoint", "ApusState", "ApusStateTools", "ApusPluginHost", "ApusIO",
                "ApusControl", "ApusFunctions", "ApusRuntime", "ApusJobFile", "ApusBench",
                "ApusPluginCheck", "ApusSwap",
                "CApusPlugin", "CApusShims", "CApusGuard", "CApusJSON", "Crypto", "Synchronization",
                "ArgumentParser", "Foundation", "Glibc", "Logging",
            ]
        ),
        Layer("ApusSDK", imports: ["CApusPlugin"]),
        Layer("ApusSDKCodable", imports: ["ApusSDK", "Foundation"]),
        Layer(
            "ApusSDKTesting",
            imports: ["ApusSDK", "CApusPlugin", "CApusTesting", "Synchronization"]
        ),
        Layer("Plugins/*", imports: ["ApusSDK", "CApusPlugin"]),
        Layer("samples/*", imports: ["ApusSDK", "CApusPlugin", "SampleOperators"]),
    ]

    /// The C and C++ modules under `Sources`; they see the system's headers and no Swift.
    static let shims: Set<String> = [
        "CApusShims", "CApusGuard", "CApusThreadChecks", "CApusFunctions", "CApusJSON", "CApusZlib",
        "CRocksDB", "CApusBareLoop", "CApusCheck", "CApusSwiftNote",
    ]

    /// The modules that touch the real world: time, randomness, files, threads, environment.
    static let seamModules: Set<String> = ["ApusIO", "apus"]

    /// The modules in which any file may use unsafe pointers, given a `// SAFETY:` comment.
    static let unsafeModules: Set<String> = [
        "ApusMemory", "ApusStore", "ApusState", "ApusPluginHost", "ApusFunctions", "ApusIO",
        "ApusSDK", "ApusSDKTesting", "ApusBench", "ApusPluginCheck",
    ]

    /// Single files that may use unsafe pointers in modules that otherwise may not.
    ///
    /// An entry is the path from the root: "Sources/ApusRuntime/Task.swift".
    static let unsafeFiles: Set<String> = [
        // The seam to files passes buffers by address, because spans cannot be read into yet.
        "Sources/ApusCore/Disk.swift",
        // Hash bytes by way of a C library that takes addresses.
        "Sources/ApusCheckpoint/HashStream.swift",
        "Sources/ApusStateTools/ContentDigest.swift",
        // Read and write files by way of the seam above.
        "Sources/ApusRuntime/Checkpoint/InFlightLog.swift",
        // Write and read the numbers of messages to another process.
        "Sources/ApusRuntime/Shadow/ShadowWriter.swift",
        "Sources/ApusRuntime/Shadow/ShadowReader.swift",
        "Sources/ApusStateTools/FilePieces.swift",
        // Copies what the database shows during a call.
        "Sources/ApusStateTools/StateEntry.swift",
        // Gives the view of a batch that lies on the stack to the plugin.
        "Sources/ApusRuntime/OperatorStage.swift",
        "Sources/ApusRuntime/Async/AsyncEmission.swift",
        "Sources/ApusRuntime/Async/OperatorStage+Async.swift",
        // Writes an array's bytes through the seam to files.
        "Sources/apus/LineFile.swift",
    ]

    /// Functions that were too long when the limit came, as "path:name", and their line counts.
    ///
    /// A ratchet: a count may go down, and an entry goes away once its function is short enough.
    static let longFunctions: [String: Int] = [:]

    /// Files that a program wrote, free of the size limits, as paths from the root.
    static let generatedFiles: Set<String> = []

    /// The endings that a file of the project may have.
    static let fileExtensions: Set<String> = [
        // Code.
        "swift", "h", "c", "cc", "cpp", "hpp", "rs", "java", "py", "sh",
        // What a linker, a module or a package manager reads.
        "modulemap", "map", "toml", "lock", "resolved",
        // What libabigail has seen of the plugin ABI, and plugins of former versions.
        "abi", "so",
        // What a person reads, or a page shows.
        "md", "html", "css", "js", "svg", "png",
        // Jobs, inputs and expected outputs.
        "yaml", "yml", "json", "jsonl", "ndjson", "csv", "tsv", "gz", "txt", "sql", "golden",
    ]

    /// The names that a file without a known ending may have, besides scripts in `dev` and `.ci`.
    static let fileNames: Set<String> = [
        "Makefile", "Dockerfile", "LICENSE", "NOTICE", ".editorconfig", ".gitattributes",
        ".gitignore", ".gitkeep", ".swift-format",
    ]

    /// Folders, by name, that hold nothing of ours; see also `.gitignore`.
    static let ignoredFolders: Set<String> = [
        ".git", ".build", ".swiftpm", ".vscode", ".idea", "__pycache__", "out", "target",
    ]
}

/// One row of the layer table.
struct Layer {
    /// The module's name, or `Plugins/*`, or `samples/*`.
    let module: String

    /// The modules it may import, those that come with the toolchain included.
    let imports: Set<String>

    init(_ module: String, imports: Set<String>) {
        self.module = module
        self.imports = imports
    }
}
