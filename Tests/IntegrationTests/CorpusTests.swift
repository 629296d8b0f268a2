import Foundation
import Testing

/// Plugins that were built with the headers of each released version give what they gave then.
///
/// Goal: no change of the host breaks a plugin that somebody has built.  Method: binaries, kept in
/// `Tests/Plugins/Corpus` with their sources, are described and run; what they wrote when they were
/// recorded lies beside them.  `Tests/Plugins/Corpus/rebuild.py` makes those of a version that is
/// not released yet.
@Suite("Integration: corpus of plugins")
struct CorpusTests {
    private static let corpus = "Tests/Plugins/Corpus"

    #if arch(x86_64)
    private static let isRightMachine = true
    #else
    private static let isRightMachine = false
    #endif

    /// The folders of plugins, as "0.1/c".
    static let plugins: [String] = {
        let files = FileManager.default.enumerator(atPath: Program.file(corpus))
        let paths = files?.compactMap { $0 as? String } ?? []
        return paths.filter { $0.hasSuffix("/corpus.so") }
            .map { String($0.dropLast("/corpus.so".count)) }.sorted()
    }()

    private func file(_ plugin: String, _ name: String) -> String {
        Program.file("\(Self.corpus)/\(plugin)/\(name)")
    }

    @Test("there is a plugin in C of every version")
    func thereIsAPluginOfEveryVersion() {
        #expect(Set(Self.plugins).isSuperset(of: ["0.1/c", "0.2/c", "0.3/c"]))
    }

    @Test(
        "a plugin of the corpus is described as it was",
        .enabled(if: isRightMachine, "the plugins of the corpus are for x86-64"),
        arguments: plugins
    )
    func aPluginIsDescribedAsItWas(plugin: String) throws {
        let workspace = try Workspace()
        let run = try workspace.apus("plugin", "describe", "--json", file(plugin, "corpus.so"))
        run.expect(status: 0)
        let found = try JSONSerialization.jsonObject(with: Data(run.output.utf8))
        let text = try Data(contentsOf: URL(filePath: file(plugin, "described.json")))
        let recorded = try JSONSerialization.jsonObject(with: text)
        #expect(Self.holds(found, recorded), "\(plugin): \(run.output)")
    }

    @Test(
        "a plugin of the corpus writes what it wrote",
        .enabled(if: isRightMachine, "the plugins of the corpus are for x86-64"),
        arguments: plugins
    )
    func aPluginWritesWhatItWrote(plugin: String) throws {
        let workspace = try Workspace()
        let run = try workspace.apus(
            "run",
            file(plugin, "job.yaml"),
            "-p",
            "1",
            environment: [
                "PLUGIN": file(plugin, "corpus.so"),
                "NUMBERS": Program.file("\(Self.corpus)/numbers.jsonl"),
            ]
        )
        run.expect(status: 0)
        let folder = Program.file("\(Self.corpus)/\(plugin)")
        let outputs = try FileManager.default.contentsOfDirectory(atPath: folder)
            .filter { $0.hasPrefix("out-") }
        #expect(!outputs.isEmpty)
        for output in outputs {
            let recorded = try String(contentsOfFile: "\(folder)/\(output)", encoding: .utf8)
            #expect(workspace.lines(output).sorted() == recorded.lineList, "\(plugin)/\(output)")
        }
        let rejected = try? String(  // No file: nothing was rejected.
            contentsOfFile: "\(folder)/rejected.txt",
            encoding: .utf8
        )
        let count = Int(rejected?.lineList.first ?? "0")
        #expect(workspace.lines("out-rejected.jsonl").count == count)
    }

    /// Whether a value has everything that a recorded one has: names of states, where the value
    /// may have an object with that name.
    private static func holds(_ value: Any?, _ recorded: Any) -> Bool {
        switch recorded {
        case let recorded as [String: Any]:
            guard let value = value as? [String: Any] else { return false }
            return recorded.allSatisfy { holds(value[$0.key], $0.value) }
        case let recorded as [Any]:
            guard let value = value as? [Any], value.count == recorded.count else { return false }
            return zip(value, recorded).allSatisfy { holds($0, $1) }
        case let recorded as String:
            return value as? String == recorded
                || (value as? [String: Any])?["name"] as? String == recorded
        default:
            return false
        }
    }
}
