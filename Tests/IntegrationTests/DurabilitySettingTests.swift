import Foundation
import Testing

/// What a job file says of durability, as `apus` reports it and writes it down.
@Suite("Integration: settings of durability")
struct DurabilitySettingTests {
    private let workspace: Workspace

    init() throws {
        workspace = try Workspace()
        try workspace.write("in.csv", "2013,1,1,5,0,N1,,\n")
    }

    private func job(_ spec: [String], state: String = "") -> Job {
        let watermark = "watermark: { fields: [year, month, day, hour, minute] }"
        let columns = "config: { dep-delay-column: 6, arr-delay-column: 7 }"
        let source = "config: { path: in.csv, format: csv, emit: line }"
        return Job(
            spec: spec,
            sources: ["{ id: in, plugin: file, \(source), \(watermark) }"],
            operators: [
                "{ id: middle, plugin: aircraft, input: in, key: tailnum, \(columns)\(state) }"
            ],
            sinks: ["{ id: out, plugin: file, input: middle, config: { path: out.jsonl } }"]
        )
    }

    @Test("validate and explain print them as JSON")
    func planReport() throws {
        try workspace.write("in.csv", "year,month,day,hour,minute,tailnum,a,b\n")
        try workspace.write(
            job(["checkpoint: { dir: ck, interval: 5s, io-limit: 2MiB/s }", "state: { dir: db }"])
        )
        for command in ["validate", "explain"] {
            let run = try workspace.apus("job", command, "job.yaml", "--json")
            run.expect(status: 0)
            let report = try run.jsonObject()
            let durability = try #require(report["durability"] as? [String: Any])
            #expect(durability["stateBackend"] as? String == "rocksdb")
            #expect(durability["stateDirectory"] as? String == "db")
            #expect(durability["memoryBudget"] as? String == "50%")
            let checkpoint = try #require(durability["checkpoint"] as? [String: Any])
            #expect(checkpoint["directory"] as? String == "ck")
            #expect(checkpoint["intervalMicroseconds"] as? Int == 5_000_000)
            #expect(checkpoint["retainedCount"] as? Int == 2)
            #expect(checkpoint["ioLimitBytesPerSecond"] as? Int == 2 << 20)
            let nodes = try #require(report["nodes"] as? [[String: Any]])
            #expect(nodes.last?["delivery"] as? String == "exactly-once")
            #expect(nodes.first?["delivery"] == nil)
        }
        try workspace.write(job([]))
        let plain = try workspace.apus("job", "validate", "job.yaml", "--json").jsonObject()
        let durability = try #require(plain["durability"] as? [String: Any])
        #expect(durability["checkpoint"] == nil)
        #expect(durability["stateBackend"] as? String == "memory")
    }

    @Test("a database without checkpoints is refused by validate already")
    func databaseAlone() throws {
        try workspace.write(job(["state: { backend: rocksdb, dir: db }"]))
        for command in [["job", "validate"], ["run"]] {
            let run = try workspace.tool([try Program.apus()] + command + ["job.yaml"])
            run.expect(status: 2, says: "spec.state.backend: 'rocksdb' without 'checkpoint'")
        }
    }

    @Test("a checkpoint says how long values live")
    func timeToLive() throws {
        try workspace.write("in.csv", "year,month,day,hour,minute,tailnum,a,b\n2013,1,1,5,0,N1,,\n")
        try workspace.write(
            job(["checkpoint: { dir: ck }"], state: ", state: { delays: { ttl: 7d } }")
        )
        try workspace.apus("run", "job.yaml", "--from", "new").expect(status: 0)
        let name = "00000000000000000001.json"
        let manifest = workspace.text("ck/manifests/\(name)")
        #expect(manifest.contains("\"timeToLiveMicroseconds\" : 604800000000"), "\(manifest)")
    }

    @Test("what a dropped operator has left is removed from the database")
    func droppedOperator() throws {
        let header = "year,month,day,hour,minute,tailnum,a,b\n"
        try workspace.write("in.csv", header + "2013,1,1,5,0,N1,1,2\n2013,1,2,5,0,N2,1,2\n")
        var job = job(["checkpoint: { dir: ck, interval: 200ms }"])
        job.sources = job.sources.map {
            $0.replacing("emit: line", with: "emit: line, follow: true")
        }
        try workspace.write(job)
        let child = try workspace.start(["run", "job.yaml", "--from", "new"])
        try child.wait(until: "state is in a checkpoint") {
            (try? operators()["middle"]) ?? 0 > 0  // there may be no checkpoint yet
        }
        child.send(SIGINT)
        try child.finish().expect(status: 0)
        #expect(try operators()["middle"] == 2)

        job.operators = job.operators.map { $0.replacing("id: middle", with: "id: other") }
        job.sinks = job.sinks.map { $0.replacing("input: middle", with: "input: other") }
        job.sources = job.sources.map { $0.replacing("follow: true", with: "follow: false") }
        try workspace.write(job)
        let run = try workspace.apus(
            "run",
            "job.yaml",
            "--from",
            "latest",
            "--drop-state",
            "middle"
        )
        run.expect(status: 0)
        let left = try operators()
        #expect(left.values.allSatisfy { $0 == 0 } && left["middle"] == nil, "\(left)")
    }

    /// The operators of which the newest checkpoint has entries, and how many keys each has.
    private func operators() throws -> [String: Int] {
        let run = try workspace.apus("state", "size", "--checkpoint", "ck", "--json")
        let report = try run.jsonObject()
        let operators = try #require(report["operators"] as? [[String: Any]])
        return try Dictionary(
            uniqueKeysWithValues: operators.map {
                (try #require($0["id"] as? String), try #require($0["scannedKeyCount"] as? Int))
            }
        )
    }
}
