/// The text of a job file, from the lines that matter to a test.
///
/// As it is, it copies `in.jsonl` to `out.jsonl`.
struct Job {
    /// Further lines of `spec`.
    var spec: [String] = []
    var sources = ["{ id: in, plugin: file, config: { path: in.jsonl } }"]
    var operators: [String] = []
    var sinks = ["{ id: out, plugin: file, input: in, config: { path: out.jsonl } }"]

    /// A job with an operator between source and sink: keys of its mapping as `plugin: x`.
    static func through(_ plugin: String) -> Job {
        Job(
            operators: ["{ id: middle, input: in, \(plugin) }"],
            sinks: ["{ id: out, plugin: file, input: middle, config: { path: out.jsonl } }"]
        )
    }

    /// A job that makes lines until it is stopped.
    static func endless(rate: Int = 5_000) -> Job {
        Job(sources: ["{ id: in, plugin: generator, config: { kind: impulse, rate: \(rate) } }"])
    }

    var text: String {
        let head = ["apiVersion: apus/v1", "kind: Job", "metadata: { name: test }", "spec:"]
        let lists = [("sources", sources), ("operators", operators), ("sinks", sinks)]
        let nodes = lists.filter { !$0.1.isEmpty }.flatMap { name, items in
            ["  \(name):"] + items.map { "    - \($0)" }
        }
        return (head + spec.map { "  \($0)" } + nodes).map { $0 + "\n" }.joined()
    }
}
