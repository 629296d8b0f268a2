import Foundation
import Glibc
import Testing

/// A running `apus run` with the operator of ``TallyPlugin``, and what it must hold.
final class TallyJob {
    let workspace: Workspace
    private(set) var child: Child?
    /// What was sent, by key, in order: the oracle.
    private(set) var sent: [String: [String]] = [:]
    private(set) var count = 0
    /// How many of them an earlier process has counted.
    private var countBefore = 0
    /// What makes each record longer.
    var padding = ""

    /// Prepares the job in a new folder.
    ///
    /// - Parameters:
    ///   - checkpoints: Whether it takes checkpoints.
    ///   - interval: How often; as it is only when it is asked.
    ///   - budget: Memory for state.
    ///   - delivery: Of a job with checkpoints.
    /// - Throws: When the plugin cannot be built.
    init(
        checkpoints: Bool = true,
        interval: String = "1h",
        budget: String = "64MiB",
        delivery: String = "at-least-once"
    ) throws {
        workspace = try Workspace()
        try TallyPlugin.build(in: workspace)
        var job = Job.through("plugin: ./libtally.so, key: k")
        job.sources = ["{ id: in, plugin: file, config: { path: in.jsonl, follow: true } }"]
        job.sinks = [
            "{ id: out, plugin: file, input: middle, config: { path: out.txt },"
                + " delivery: \(delivery) }"
        ]
        if checkpoints {
            job.spec = [
                "checkpoint: { dir: cp, interval: \(interval), min-pause: 0s }",
                "memory: { budget: \(budget) }",
            ]
        } else {
            job.sinks = ["{ id: out, plugin: file, input: middle, config: { path: out.txt } }"]
        }
        try workspace.write(job)
        try workspace.write("in.jsonl", "")
    }

    deinit { child = nil }

    /// Starts it and waits until it runs.
    func start(
        _ options: String...,
        parallelism: Int = 2,
        environment: [String: String] = [:]
    ) throws {
        let child = try workspace.start(
            ["run", "job.yaml", "-p", "\(parallelism)", "--json"] + options,
            environment: environment
        )
        try child.wait(until: "it runs") { child.errors.contains("started, parallelism") }
        self.child = child
        countBefore = count
    }

    /// Sends records, and waits until they are counted.
    func send(_ keys: [String]) throws {
        try sendOnly(keys)
        try settle()
    }

    /// Sends records.
    func sendOnly(_ keys: [String]) throws {
        var text = ""
        for key in keys {
            let line = "{\"k\":\"\(key)\",\"p\":\"\(padding)\",\"n\":\(count % 7)}"
            sent[key, default: []].append(line)
            text += line + "\n"
            count += 1
        }
        try workspace.append("in.jsonl", text)
    }

    /// Notes that the state of keys is gone, as a purge makes it.
    func forget(_ keys: some Sequence<String>) { for key in keys { sent[key] = nil } }

    /// Notes that the state of keys is what it was.
    func remember(_ old: [String: [String]]) { sent.merge(old) { now, _ in now } }

    /// Waits until all that was sent is counted.
    func settle() throws {
        let child = try #require(child)
        try child.wait(until: "\(count) records are counted", atMost: 60) {
            let run = try workspace.apus("job", "status", "cp", "--json")
            guard run.end == .exited(0) else { return false }
            let nodes = try run.jsonObject()["nodes"] as? [[String: Any]] ?? []
            return nodes.first { $0["id"] as? String == "middle" }?["recordsIn"] as? Int
                == count - countBefore
        }
    }

    /// Runs a command on the job.
    func apus(_ arguments: String...) throws -> Run {
        try workspace.start(arguments).finish(atMost: 120)
    }

    /// Stops it in order.
    @discardableResult
    func stop() throws -> Run {
        let child = try #require(child)
        child.send(SIGTERM)
        let run = try child.finish(atMost: 60)
        run.expect(status: 0)
        self.child = nil
        return run
    }

    /// Kills it.
    func kill() throws {
        let child = try #require(child)
        child.send(SIGKILL)
        _ = try child.finish(atMost: 10)
        self.child = nil
    }

    /// The state in a checkpoint, by key, out of `apus state export`: counter, list, map, timers.
    func exported(_ options: String...) throws -> [String: KeyState] {
        let run = try workspace.start(
            ["state", "export", "--checkpoint", "cp", "--operator", "middle"] + options
        )
        .finish(atMost: 120)
        run.expect(status: 0)
        var keys: [String: KeyState] = [:]
        for line in run.output.lineList {
            let value = try JSONSerialization.jsonObject(with: Data(line.utf8))
            let object = try #require(value as? [String: Any])
            guard let key = object["key"] as? String else { continue }
            keys[key, default: KeyState()].add(object)
        }
        return keys
    }

    /// What readers of the output must have seen: each count of each key once.
    func expectOutput(
        _ end: String = "",
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let expected = sent.filter { !$0.key.hasPrefix("~") }.flatMap { key, lines in
            (1...lines.count).map { "\(key) \($0)\(end)" }
        }
        #expect(
            workspace.lines("out.txt").sorted() == expected.sorted(),
            sourceLocation: sourceLocation
        )
    }

    /// The same when a second version, whose lines end with "!", has taken over at some instant:
    /// each key has lines of the first one, and then of the second.
    func expectOutputOfVersions(sourceLocation: SourceLocation = #_sourceLocation) {
        var seen: [String: [String]] = [:]
        for line in workspace.lines("out.txt") {
            let words = line.split(separator: " ").map(String.init)
            seen[words[0], default: []].append(words[1])
        }
        let expected = sent.filter { !$0.key.hasPrefix("~") }
        #expect(seen.keys.sorted() == expected.keys.sorted(), sourceLocation: sourceLocation)
        for (key, counts) in seen {
            let plain = counts.map { $0.replacing("!", with: "") }
            let all = (1...(expected[key]?.count ?? 1)).map { "\($0)" }
            #expect(plain == all, "\(key)", sourceLocation: sourceLocation)
            let first = counts.firstIndex { $0.hasSuffix("!") } ?? counts.count
            #expect(
                counts[first...].allSatisfy { $0.hasSuffix("!") },
                "\(key): \(counts)",
                sourceLocation: sourceLocation
            )
        }
    }

    /// Compares exported state with what was sent.
    func expectAsSent(
        _ state: [String: KeyState],
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let expected = sent.mapValues(KeyState.init(lines:))
        let wrong = Set(state.keys).union(expected.keys).filter { state[$0] != expected[$0] }
        #expect(wrong.isEmpty, sourceLocation: sourceLocation)
        if let key = wrong.min() {
            Issue.record(
                """
                \(wrong.count) keys differ, '\(key)' among them: \
                expected \(String(describing: expected[key])), \
                found \(String(describing: state[key]))
                """,
                sourceLocation: sourceLocation
            )
        }
    }

    /// What a key has.
    struct KeyState: Equatable {
        var count: Int?
        var lines: [String] = []
        var last: [String: String] = [:]
        var timerCount = 0

        init() {}

        /// What the plugin makes of records.
        init(lines: [String]) {
            count = lines.count
            self.lines = lines
            for line in lines { last[String(line.suffix(2).prefix(1))] = line }
            timerCount = 1
        }

        mutating func add(_ object: [String: Any]) {
            let value = object["value"]
            switch object["state"] as? String {
            case "count": count = object["number"] as? Int
            case let own? where own.hasPrefix("own-"): break
            case "lines": lines.append(value as? String ?? "?")
            case "last": last[object["mapKey"] as? String ?? "?"] = value as? String
            default: timerCount += 1
            }
        }
    }
}
