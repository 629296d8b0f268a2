import Foundation
import Testing

/// `apus bench load`: a plugin that is loaded and unloaded again and again leaves nothing behind.
@Suite("Integration: bench load")
struct BenchLoadTests {
    private let workspace: Workspace

    init() throws {
        workspace = try Workspace()
        try TinyPlugin().build(in: workspace)
    }

    @Test("a thousand rounds: no memory, file, thread or mapping more than after five hundred")
    func rounds() throws {
        // Status 1 when resident memory has grown by more than a hundredth.
        let run = try workspace.apus("bench", "load", "--plugin", "libtiny.so", "--json")
        run.expect(status: 0)
        let looks = try #require(try run.jsonObject()["looks"] as? [[String: Any]])
        #expect(looks.map { $0["round"] as? Int } == [0, 500, 1000])
        for name in ["descriptors", "threads", "mappings"] {
            let counts = Set(looks.map { $0[name] as? Int })
            #expect(counts.count == 1, "\(name): \(run.output)")
        }
        print(run.output)
    }

    @Test("a plugin that stays is refused with the reason, and so is no plugin")
    func refusals() throws {
        let stays = try workspace.apus("bench", "load", "--plugin", Program.plugin("benchmark"))
        stays.expect(status: 2, says: "cannot be unloaded: it tells Swift's runtime of itself")
        try workspace.apus("bench", "load").expect(
            status: 64,
            says: "load: expected a plugin in C, with --plugin FILE"
        )
    }
}
