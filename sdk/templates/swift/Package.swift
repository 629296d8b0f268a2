// swift-tools-version: 6.2
import Foundation
import PackageDescription

/// Where the SDK of Apus is; the environment says otherwise.
let sdk = ProcessInfo.processInfo.environment["APUS_SDK"] ?? "APUS_SDK_HERE"

let package = Package(
    name: "apus-name",
    products: [.library(name: "apus-name", type: .dynamic, targets: ["ApusNamePlugin"])],
    dependencies: [.package(name: "apus", path: "\(sdk)/..")],
    targets: [
        .target(
            name: "ApusNameOperators",
            dependencies: [.product(name: "ApusSDK", package: "apus")]
        ),
        .target(
            name: "ApusNamePlugin",
            dependencies: ["ApusNameOperators", .product(name: "ApusSDK", package: "apus")],
            // Everything but the entry function stays in the library, and Swift's runtime comes
            // with it, so that it need not be that of the host.
            linkerSettings: [
                .unsafeFlags(["-static-stdlib", "-Xlinker", "--version-script=\(sdk)/c/plugin.map"])
            ]
        ),
        .testTarget(
            name: "ApusNameTests",
            dependencies: [
                "ApusNameOperators", .product(name: "ApusSDK", package: "apus"),
                .product(name: "ApusSDKTesting", package: "apus"),
            ]
        ),
    ]
)
