// swift-tools-version: 6.2
import PackageDescription

/// What every Swift target is compiled with.
let common: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

/// Modules on the way of every record.
///
/// Without the checks at run time that nothing is read while it is written, in optimised builds:
/// they took a fifth of a call into a plugin.  Tests run with them.
let hot: [SwiftSetting] =
    common
    + [.unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release))]

/// Modules that may not touch unsafe memory: the compiler refuses it.
let safe: [SwiftSetting] = common + [.strictMemorySafety()]

/// What C and C++ targets are compiled with.
let warnings = ["-Wall", "-Wextra", "-Werror"]
let cSettings: [CSetting] = [.unsafeFlags(warnings + ["-std=c11"])]
let cxxSettings: [CXXSetting] = [.unsafeFlags(warnings)]

/// A shared library in C: what is not marked as exported is hidden.
let pluginInC: [CSetting] = [.unsafeFlags(warnings + ["-std=c11", "-fvisibility=hidden"])]

/// A shared library that exports its entry function and nothing else.
let exportsEntryOnly: [LinkerSetting] = [
    .unsafeFlags(["-Xlinker", "--version-script=sdk/c/plugin.map"])
]

/// What tests are compiled with.
///
/// Not strictly memory-safe: the macros of Swift Testing are not.
let tests: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

let package = Package(
    name: "apus",
    products: [
        .executable(name: "apus", targets: ["apus"]),
        .library(name: "ApusSDK", targets: ["ApusSDK"]),
        .library(name: "ApusSDKCodable", targets: ["ApusSDKCodable"]),
        .library(name: "ApusSDKTesting", targets: ["ApusSDKTesting"]),
        .library(name: "ApusPluginCheck", targets: ["ApusPluginCheck"]),
        .library(name: "benchmark", type: .dynamic, targets: ["BenchmarkPlugin"]),
        .library(name: "files", type: .dynamic, targets: ["FilesPlugin"]),
        .library(name: "aircraft", type: .dynamic, targets: ["AircraftPlugin"]),
        .library(name: "tickets", type: .dynamic, targets: ["TicketsPlugin"]),
        .library(name: "tickets-v2", type: .dynamic, targets: ["TicketsPluginV2"]),
        .library(name: "tickets-v2b", type: .dynamic, targets: ["TicketsPluginV2b"]),
        .library(name: "tickets-v3", type: .dynamic, targets: ["TicketsPluginV3"]),
        .library(name: "operators", type: .dynamic, targets: ["OperatorsPlugin"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto.git", from: "4.5.2"),
        .package(url: "https://github.com/jpsim/Yams.git", from: "6.2.2"),
    ],
    targets: [
        // Layer 0: the contract with plugins, shims for what Swift cannot say, the vocabulary.
        .target(
            name: "CApusPlugin",
            path: "sdk/c",
            exclude: ["testing"],
            publicHeadersPath: "include",
            cSettings: [.unsafeFlags(warnings + ["-std=c11", "-Wpedantic"])]
        ),
        .target(name: "CApusShims", cSettings: cSettings),
        .target(name: "ApusCore", swiftSettings: safe),

        // Layer 1: batches and rings; the job as a graph; generators of sample data.
        .target(
            name: "ApusMemory",
            dependencies: ["ApusCore", "CApusPlugin", "CApusShims"],
            swiftSettings: hot
        ),
        .target(name: "ApusGraph", swiftSettings: safe),
        .target(name: "ApusGenerators", swiftSettings: safe),

        // Layer 2: the database and checkpoints on disk; state and timers; plugins; files and
        // threads; the job file; the socket of a running job.
        .target(
            name: "CRocksDB",
            cxxSettings: cxxSettings,
            linkerSettings: [.linkedLibrary("rocksdb")]
        ),
        .target(
            name: "ApusStore",
            dependencies: ["ApusCore", "CRocksDB", "CApusShims"],
            swiftSettings: common
        ),
        .target(
            name: "ApusCheckpoint",
            dependencies: ["ApusCore", "CApusShims"],
            swiftSettings: common
        ),
        .target(
            name: "ApusState",
            dependencies: ["ApusCore", "ApusMemory", "ApusStore", "CApusPlugin", "CApusShims"],
            swiftSettings: hot
        ),
        .target(
            name: "CApusGuard",
            dependencies: ["CApusPlugin"],
            cxxSettings: cxxSettings
        ),
        .target(
            name: "CApusThreadChecks",
            dependencies: ["CApusPlugin"],
            cSettings: cSettings
        ),
        .target(
            name: "ApusPluginHost",
            dependencies: [
                "ApusCore", "ApusMemory", "ApusState", "ApusStore", "CApusPlugin", "CApusShims",
                "CApusGuard", .product(name: "Crypto", package: "swift-crypto"),
            ],
            swiftSettings: hot
        ),
        .target(
            name: "CApusFunctions",
            // Exceptions of C++ functions pass through the loops that call them.
            cSettings: [.unsafeFlags(warnings + ["-std=c11", "-fexceptions"])],
            linkerSettings: [.linkedLibrary("ffi")]
        ),
        .target(
            name: "ApusFunctions",
            dependencies: [
                "ApusCore", "ApusMemory", "ApusGraph", "CApusPlugin", "CApusFunctions",
                "CApusGuard", "CApusJSON",
            ],
            swiftSettings: hot
        ),
        .target(
            name: "CApusJSON",
            cxxSettings: cxxSettings,
            linkerSettings: [.linkedLibrary("simdjson")]
        ),
        .target(name: "CApusZlib", cSettings: cSettings, linkerSettings: [.linkedLibrary("z")]),
        .target(
            name: "ApusIO",
            dependencies: [
                "ApusCore", "ApusMemory", "CApusPlugin", "CApusShims", "CApusJSON", "CApusZlib",
            ],
            swiftSettings: common
        ),
        .target(name: "ApusControl", dependencies: ["ApusCore"], swiftSettings: safe),
        .target(
            name: "ApusJobFile",
            dependencies: ["ApusGraph", .product(name: "Yams", package: "Yams")],
            swiftSettings: safe
        ),

        // Layer 3: task threads.
        .target(
            name: "ApusRuntime",
            dependencies: [
                "ApusCore", "ApusMemory", "ApusGraph", "ApusState", "ApusStore", "ApusCheckpoint",
                "ApusPluginHost", "ApusFunctions", "ApusSwap", "CApusPlugin", "CApusShims",
            ],
            swiftSettings: hot
        ),
        // What a swap is: whether a version may take over from another, and what is noted of it.
        .target(
            name: "ApusSwap",
            dependencies: ["ApusCore", "ApusCheckpoint", "ApusState", "ApusPluginHost"],
            swiftSettings: safe
        ),
        .target(
            name: "ApusStateTools",
            dependencies: [
                "ApusCore", "ApusGraph", "ApusStore", "ApusCheckpoint", "ApusState", "CApusShims",
            ],
            swiftSettings: common
        ),
        .target(
            name: "CApusBareLoop",
            dependencies: ["CApusPlugin"],
            cSettings: cSettings
        ),
        .target(
            name: "ApusBench",
            dependencies: [
                "CApusBareLoop", "CApusPlugin",
                "ApusCore", "ApusMemory", "ApusGraph", "ApusStore", "ApusCheckpoint", "ApusState",
                "ApusPluginHost", "ApusFunctions", "ApusIO", "ApusRuntime", "ApusSwap",
                "CApusShims",
                "CApusFunctions",
            ],
            swiftSettings: common
        ),

        // The validator of plugins, and what it puts between them and the host.
        .target(
            name: "CApusCheck",
            dependencies: ["CApusPlugin", "CApusGuard"],
            cxxSettings: cxxSettings
        ),
        .target(
            name: "ApusPluginCheck",
            dependencies: [
                "ApusCore", "ApusMemory", "ApusState", "ApusPluginHost", "ApusIO", "CApusPlugin",
                "CApusGuard", "CApusCheck",
            ],
            swiftSettings: common
        ),

        // Layer 4: the command line, which alone picks the real clock, disk and processes.
        .executableTarget(
            name: "apus",
            dependencies: [
                "ApusCore", "ApusMemory", "ApusGraph", "ApusGenerators", "ApusStore",
                "ApusCheckpoint", "ApusState", "ApusStateTools", "ApusPluginHost", "ApusIO",
                "ApusJobFile", "ApusControl", "ApusFunctions", "ApusRuntime", "ApusSwap",
                "ApusBench",
                "ApusPluginCheck",
                "CApusGuard",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: safe
        ),

        // What plugin authors use, and the plugins of this repository.
        .target(
            name: "CApusSwiftNote",
            dependencies: ["CApusPlugin"],
            path: "sdk/swift/CApusSwiftNote",
            cSettings: cSettings
        ),
        .target(
            name: "ApusSDK",
            dependencies: ["CApusPlugin", "CApusSwiftNote"],
            path: "sdk/swift/ApusSDK",
            swiftSettings: common
        ),
        .target(
            name: "ApusSDKCodable",
            dependencies: ["ApusSDK"],
            path: "sdk/swift/ApusSDKCodable",
            swiftSettings: common
        ),
        .target(
            name: "CApusTesting",
            dependencies: ["CApusPlugin"],
            path: "sdk/c/testing",
            cSettings: cSettings
        ),
        .target(
            name: "ApusSDKTesting",
            dependencies: ["ApusSDK", "CApusPlugin", "CApusTesting"],
            path: "sdk/swift/ApusSDKTesting",
            swiftSettings: common
        ),
        .target(
            name: "BenchmarkPlugin",
            dependencies: ["CApusPlugin"],
            path: "Plugins/Benchmark",
            publicHeadersPath: ".",
            cSettings: pluginInC,
            linkerSettings: exportsEntryOnly
        ),
        .target(
            name: "FilesPlugin",
            dependencies: ["CApusPlugin"],
            path: "Plugins/Files",
            publicHeadersPath: ".",
            cSettings: [.unsafeFlags(warnings + ["-std=gnu11", "-fvisibility=hidden"])],
            linkerSettings: exportsEntryOnly
        ),
        .target(
            name: "AircraftPlugin",
            dependencies: ["CApusPlugin"],
            path: "samples/flights/plugin",
            publicHeadersPath: ".",
            cSettings: pluginInC,
            linkerSettings: exportsEntryOnly
        ),
        .target(
            name: "TicketsPlugin",
            dependencies: ["ApusSDK"],
            path: "samples/tickets/plugin",
            swiftSettings: common,
            linkerSettings: exportsEntryOnly
        ),
        .target(
            name: "TicketsPluginV2",
            dependencies: ["ApusSDK"],
            path: "samples/tickets/v2",
            swiftSettings: common,
            linkerSettings: exportsEntryOnly
        ),
        .target(
            name: "TicketsPluginV2b",
            dependencies: ["ApusSDK"],
            path: "samples/tickets/v2b",
            swiftSettings: common,
            linkerSettings: exportsEntryOnly
        ),
        .target(
            name: "TicketsPluginV3",
            dependencies: ["ApusSDK"],
            path: "samples/tickets/v3",
            swiftSettings: common,
            linkerSettings: exportsEntryOnly
        ),
        .target(
            name: "SampleOperators",
            dependencies: ["ApusSDK"],
            path: "samples/operators/swift/operators",
            swiftSettings: common
        ),
        .target(
            name: "OperatorsPlugin",
            dependencies: ["ApusSDK", "SampleOperators"],
            path: "samples/operators/swift/plugin",
            swiftSettings: common,
            linkerSettings: exportsEntryOnly
        ),

        // Tests, a target per module, and what they share.
        .target(
            name: "ApusTestSupport",
            dependencies: ["ApusCore", "ApusMemory", "CApusPlugin"],
            path: "Tests/Support/ApusTestSupport",
            swiftSettings: tests
        ),
        .target(
            name: "ApusTestPlugins",
            path: "Tests/Support/ApusTestPlugins",
            swiftSettings: tests
        ),
        .target(
            name: "CAllocationCounter",
            path: "Tests/Support/CAllocationCounter",
            cSettings: cSettings
        ),
        .testTarget(name: "TidyTests", swiftSettings: tests),
        .testTarget(
            name: "ApusCoreTests",
            dependencies: ["ApusCore", "ApusTestSupport"],
            swiftSettings: tests
        ),
        .testTarget(
            name: "ApusMemoryTests",
            dependencies: [
                "ApusCore", "ApusMemory", "ApusTestSupport", "CApusPlugin", "CApusShims",
            ],
            swiftSettings: tests
        ),
        .testTarget(
            name: "ApusStoreTests",
            dependencies: [
                "ApusCore", "ApusStore", "ApusTestSupport", "ApusTestPlugins", "CApusShims",
            ],
            swiftSettings: tests
        ),
        .testTarget(
            name: "ApusCheckpointTests",
            dependencies: ["ApusCore", "ApusCheckpoint", "ApusIO", "ApusTestSupport"],
            swiftSettings: tests
        ),
        .testTarget(
            name: "ApusStateTests",
            dependencies: [
                "ApusCore", "ApusMemory", "ApusState", "ApusStore", "ApusIO", "ApusTestSupport",
                "CApusPlugin",
            ],
            swiftSettings: tests
        ),
        .testTarget(
            name: "ApusSwapTests",
            dependencies: [
                "ApusCore", "ApusCheckpoint", "ApusState", "ApusPluginHost", "ApusSwap", "ApusIO",
                "ApusTestSupport",
            ],
            swiftSettings: tests
        ),
        .testTarget(
            name: "ApusStateToolsTests",
            dependencies: [
                "ApusCore", "ApusMemory", "ApusState", "ApusStore", "ApusCheckpoint",
                "ApusStateTools", "ApusIO", "ApusTestSupport", "CApusPlugin",
            ],
            swiftSettings: tests
        ),
        .testTarget(name: "ApusGraphTests", dependencies: ["ApusGraph"], swiftSettings: tests),
        .testTarget(
            name: "ApusJobFileTests",
            dependencies: ["ApusGraph", "ApusJobFile"],
            swiftSettings: tests
        ),
        .testTarget(
            name: "ApusGeneratorsTests",
            dependencies: ["ApusGenerators"],
            swiftSettings: tests
        ),
        .testTarget(
            name: "ApusIOTests",
            dependencies: [
                "ApusCore", "ApusMemory", "ApusIO", "CApusPlugin", "CApusJSON", "CApusZlib",
            ],
            swiftSettings: tests
        ),
        .testTarget(
            name: "ApusControlTests",
            dependencies: ["ApusCore", "ApusControl", "ApusIO"],
            swiftSettings: tests
        ),
        .testTarget(
            name: "ApusPluginHostTests",
            dependencies: [
                "ApusCore", "ApusMemory", "ApusState", "ApusPluginHost", "ApusIO", "CApusGuard",
                "CApusPlugin", "ApusTestPlugins", "CApusThreadChecks",
            ],
            swiftSettings: tests
        ),
        .testTarget(
            name: "ApusFunctionsTests",
            dependencies: [
                "ApusCore", "ApusMemory", "ApusGraph", "ApusFunctions", "ApusIO", "CApusFunctions",
                "CApusPlugin", "ApusTestPlugins",
            ],
            swiftSettings: tests
        ),
        .testTarget(
            name: "ApusPluginCheckTests",
            dependencies: ["ApusPluginCheck", "ApusTestPlugins"],
            swiftSettings: tests
        ),
        .testTarget(
            name: "ApusRuntimeTests",
            dependencies: [
                "ApusCore", "ApusMemory", "ApusGraph", "ApusState", "ApusStore", "ApusCheckpoint",
                "ApusPluginHost", "ApusFunctions", "ApusRuntime", "ApusIO", "CApusPlugin",
                "ApusTestPlugins", "ApusTestSupport", "CAllocationCounter",
            ],
            swiftSettings: tests
        ),
        .testTarget(
            name: "ApusSDKTests",
            dependencies: ["ApusSDK", "ApusSDKTesting", "ApusState", "CApusPlugin"],
            swiftSettings: tests
        ),
        .testTarget(
            name: "ApusSDKTestingTests",
            dependencies: ["ApusSDK", "ApusSDKCodable", "ApusSDKTesting"],
            swiftSettings: tests
        ),
        .testTarget(
            name: "SampleOperatorsTests",
            dependencies: ["ApusSDK", "ApusSDKTesting", "SampleOperators"],
            swiftSettings: tests
        ),
        .testTarget(
            name: "ApusBenchTests",
            dependencies: ["ApusCore", "ApusBench"],
            swiftSettings: tests
        ),
        .testTarget(
            name: "IntegrationTests",
            dependencies: ["ApusCore", "ApusIO", "ApusSwap"],
            swiftSettings: tests
        ),
    ],
    cxxLanguageStandard: .cxx17
)
