import Testing

/// The arrows between modules are those of the layer table, and no others.
@Suite("Tidy: layers")
struct LayerTests {
    @Test("imports stay within the layer table")
    func importsStayWithinTheLayerTable() {
        expectNone(Repository.swift.flatMap(LayerRule.check))
    }

    @Test("every module on disk is in the layer table")
    func everyModuleOnDiskIsInTheLayerTable() {
        expectNone(LayerRule.unknownModules(in: Repository.paths))
    }

    @Test("the table's arrows point to rows above")
    func theTablesArrowsPointToRowsAbove() {
        let modules = Tables.layers.map(\.module)
        #expect(Set(modules).count == modules.count)
        for (index, layer) in Tables.layers.enumerated() {
            let here = layer.imports.intersection(modules[index...])
            #expect(here.isEmpty, "\(layer.module) imports \(here.sorted()) from below")
        }
    }

    @Test(
        "finds every way to write an import",
        arguments: [
            "import Foundation",
            "import struct Foundation.URL",
            "@preconcurrency import Foundation",
            "@_spi(Testing) package import Foundation",
            "  public import Foundation  // for URL",
        ]
    )
    func findsEveryWayToWriteAnImport(line: String) {
        let file = SourceFile(path: "Sources/ApusCore/A.swift", text: "// A\n" + line)
        #expect(LayerRule.check(file).map(\.line) == [2])
    }

    @Test("knows modules under Sources, the SDK, plugins and samples")
    func knowsModulesUnderSourcesTheSdkPluginsAndSamples() {
        func problems(_ path: String, _ text: String) -> [String] {
            LayerRule.check(SourceFile(path: path, text: text)).map(\.problem)
        }
        #expect(problems("Sources/apus/main.swift", "import Foundation").isEmpty)
        #expect(problems("sdk/swift/ApusSDK/A.swift", "import CApusPlugin").isEmpty)
        #expect(
            problems("sdk/swift/ApusSDK/A.swift", "import ApusCore") == ["ApusSDK imports ApusCore"]
        )
        #expect(
            problems("Plugins/Windows/A.swift", "import Glibc") == ["Plugins/* imports Glibc"]
        )
        #expect(
            problems("samples/flights/plugin/A.swift", "import ApusCore")
                == ["samples/* imports ApusCore"]
        )
        #expect(problems("Plugins/Windows/Tests/ATests.swift", "import Foundation").isEmpty)
    }

    @Test("a module without a row is reported once")
    func aModuleWithoutARowIsReportedOnce() {
        let paths = [
            "Sources/ApusCore/A.swift", "Sources/CApusGuard/guard.cc", "Sources/ApusNew/A.swift",
            "Sources/ApusNew/B.swift", "sdk/swift/Other/A.swift", "sdk/c/include/apus/apus.h",
        ]
        let found = LayerRule.unknownModules(in: paths)
        #expect(found.map(\.path) == ["Sources/ApusNew/A.swift", "sdk/swift/Other/A.swift"])
    }
}
