import ApusCheckpoint
import ApusIO
import ApusPluginHost
import ApusSwap
import Testing

@Suite("The copies of plugin files that swaps keep")
struct SwapStoreTests {
    private let folder: TemporaryFolder
    private let store: SwapStore

    init() throws {
        folder = try TemporaryFolder()
        store = SwapStore(inFolder: folder.path, disk: LinuxDisk())
    }

    private func put(_ bytes: [UInt8]) throws -> String {
        try folder.write("plugin.so", bytes)
        return try store.put("\(folder.path)/plugin.so")
    }

    @Test("A copy has the content, and is named after it")
    func copy() throws {
        #expect(try store.list() == [])
        let sha256 = try put([1, 2, 3])
        #expect(sha256 == FileDigest.sha256([1, 2, 3]))
        #expect(try put([1, 2, 3]) == sha256)
        #expect(try folder.bytes("swap/plugins/\(sha256).so") == [1, 2, 3])
        #expect(try store.verifiedPath(of: sha256) == store.path(of: sha256))
        #expect(try store.list() == [sha256])
    }

    @Test("A file that has changed since it was looked at is refused (F49)")
    func changed() throws {
        let expected = FileDigest.sha256([1])
        try folder.write("plugin.so", [2])
        let error = #expect(throws: SwapJournalError.self) {
            try store.put("\(folder.path)/plugin.so", expecting: expected)
        }
        #expect(error?.kind == .plugin)
        #expect(error?.description.contains("has changed while the swap was prepared") == true)
        #expect(try store.list() == [])
    }

    @Test("A copy that was changed is refused, and written again when it is put in again")
    func damaged() throws {
        let sha256 = try put([1, 2, 3])
        try folder.write("swap/plugins/\(sha256).so", [1, 2, 4])
        let error = #expect(throws: SwapJournalError.self) { try store.verifiedPath(of: sha256) }
        #expect(error?.description.contains("damaged: expected the SHA-256 in its name") == true)
        _ = try put([1, 2, 3])
        _ = try store.verifiedPath(of: sha256)
    }

    @Test("What is missing, and what is no hash, is refused with the name")
    func missing() throws {
        let hash = String(repeating: "a", count: 64)
        let error = #expect(throws: SwapJournalError.self) { try store.verifiedPath(of: hash) }
        #expect(error?.description.contains(hash) == true)
        for name in ["", "../x", hash.uppercased(), hash + "a"] {
            #expect(throws: SwapJournalError.self) { try store.verifiedPath(of: name) }
        }
    }

    @Test("What no checkpoint, no operation and no next start needs goes; a dry run only tells")
    func collection() throws {
        let hashes = try (1...4).map { try put([UInt8($0)]) }
        try folder.write("swap/plugins/\(hashes[0]).so.12.1.tmp", [1])
        try folder.write("swap/plugins/README", [1])
        let needed: Set = [hashes[1], hashes[3]]
        var gone = [hashes[0] + ".so", hashes[0] + ".so.12.1.tmp", hashes[2] + ".so"]
        gone.sort()
        let trial = try store.collect(keeping: needed, isDryRun: true)
        #expect(trial.removed.map(\.name) == gone)
        #expect(try store.list() == hashes.sorted())
        let report = try store.collect(keeping: needed)
        #expect(report.removed.map(\.name) == gone)
        #expect(report.kept.map(\.name).contains("README"))
        #expect(try store.list() == needed.sorted())
        #expect(try store.collect(keeping: needed).removed.isEmpty)
    }

    @Test("Retained checkpoints, the operation under way and the versions that count are needed")
    func needed() throws {
        var manifest = Manifest(
            job: "j",
            number: 3,
            createdMicroseconds: 0,
            writerVersion: "0",
            maxParallelism: 8,
            parallelism: 1
        )
        manifest.operators = [
            OperatorState(
                id: "op",
                number: 1,
                plugin: PluginReference(component: "c", fileName: "x", contentHash: "old")
            ),
            OperatorState(id: "built-in", number: 2),
        ]
        var history = SwapHistory()
        #expect(history.neededPlugins(for: []) == [])
        #expect(history.neededPlugins(for: [manifest]) == ["old"])
        func add(_ event: SwapEntry.Event) throws {
            try history.add(SwapEntry(atMicroseconds: 0, event))
        }
        let versions = "123".map { PluginVersion.sample($0).sha256 }
        let journal = try SwapJournal(inFolder: folder.path, disk: LinuxDisk()) { _ in }
        try add(.intent(try journal.begin(.sample("1", "2"), atMicroseconds: 0)))
        #expect(history.neededPlugins(for: []) == [versions[0], versions[1]])
        try add(.committed(swap: 1))
        #expect(history.neededPlugins(for: [manifest]) == [versions[1], "old"])
        try journal.add(.committed(swap: 1), atMicroseconds: 0)
        try add(.intent(try journal.begin(.sample("2", "3"), atMicroseconds: 0)))
        #expect(history.neededPlugins(for: []) == [versions[1], versions[2]])
        try add(.rolledBack(swap: 2, reason: "", checkpoint: nil, cause: .crash))
        #expect(history.neededPlugins(for: []) == [versions[1]])
    }
}
