import Foundation
import Testing

/// Operator state on the command line: a job runs, its checkpoints are looked at and changed, a
/// savepoint is made, and a job goes on from it.
@Suite("Integration: operator state")
struct OperatorStateToolTests {
    private let workspace: Workspace

    init() throws {
        workspace = try Workspace()
    }

    /// Keeps each record.
    private static let plugin = """
        #include "apus/apus.h"
        APUS_PLUGIN_NOTE(APUS_LANGUAGE_C, 0);
        static int32_t create(const apus_args *a, void **s, apus_error *e) {
            (void)a, (void)e; *s = NULL; return APUS_OK;
        }
        static void destroy(void *s) { (void)s; }
        static int32_t process(void *s, apus_ctx *ctx, const apus_batch *b) {
            (void)s;
            for (uint32_t i = ctx->at; i < b->count; i++) {
                const uint8_t *data;
                uint32_t len;
                apus_value(b, i, &data, &len);
                int32_t rc = ctx->operator_state->append(ctx, 0, data, len);
                if (rc) return apus_at(ctx, i, rc);
            }
            return APUS_OK;
        }
        static const apus_port port = {sizeof port, 0, APUS_STR("main"), APUS_STR("")};
        static const apus_port *const ports[] = {&port};
        static const apus_operator_state_decl kept = {
            sizeof kept, APUS_SPLIT, APUS_STR("kept"), 3, 0, APUS_STR("text")};
        static const apus_operator_state_decl *const states[] = {&kept};
        static const apus_operator_vt vt = {.size = sizeof vt, .process = process};
        static const apus_component component = {
            .size = sizeof component, .kind = APUS_OPERATOR, .create = create, .destroy = destroy,
            .vt = &vt, .id = APUS_STR("keeper"), .flags = APUS_KEYED, .input_count = 1,
            .output_count = 1, .outputs = ports, .operator_state_count = 1,
            .operator_states = states};
        static const apus_component *const components[] = {&component};
        static const apus_plugin plugin = {
            sizeof plugin, APUS_ABI_MINOR, APUS_ABI_MINOR, APUS_STR("test.keeper"),
            APUS_STR("1.0.0"), APUS_STR("test"), 1, 0, components};
        APUS_EXPORT const apus_plugin *apus_plugin_v0(const apus_host *h, apus_error *e) {
            (void)h, (void)e; return &plugin;
        }
        """

    private func job(_ folder: String, parallelism: Int) -> String {
        """
        apiVersion: apus/v1
        kind: Job
        metadata: { name: kept }
        spec:
          parallelism: \(parallelism)
          checkpoint: { dir: \(folder), interval: 1h }
          sources:
            - { id: in, plugin: file, config: { path: in.jsonl } }
          operators:
            - { id: keeper, plugin: ./keeper.so, input: in, key: k }
          sinks:
            - { id: out, plugin: file, input: keeper, config: { path: out.jsonl } }

        """
    }

    private static let records = (0..<6).map { "{\"k\":\($0)}" }

    private func prepare(parallelism: Int = 2) throws {
        try workspace.write("keeper.c", Self.plugin)
        try workspace.write("in.jsonl", Self.records.joined(separator: "\n") + "\n")
        try workspace.write("job.yaml", job("cp", parallelism: parallelism))
        let compiled = try workspace.tool([
            "clang", "-std=c11", "-shared", "-fPIC", "-fvisibility=hidden", "-I",
            Program.file("sdk/c/include"), "keeper.c", "-o", "keeper.so",
        ])
        compiled.expect(status: 0)
        try run("run", "job.yaml").expect(status: 0)
    }

    private func run(_ arguments: String...) throws -> Run {
        try workspace.start(arguments).finish(atMost: 60)
    }

    /// The export's lines between the first and the last.
    private func export(_ folder: String = "cp") throws -> [String] {
        let export = try run("state", "export", "--checkpoint", folder)
        export.expect(status: 0)
        return export.output.split(separator: "\n").dropFirst().dropLast().map(String.init)
    }

    private static func line(_ subtask: Int, _ index: Int, _ value: String) -> String {
        let value = value.replacing("\"", with: "\\\"")
        return #"{"operator":"keeper","state":"kept","kind":"operator","schemaVersion":3,"#
            + #""subtask":\#(subtask),"index":\#(index),"value":"\#(value)"}"#
    }

    @Test("is described, listed, found, scanned, exported and shown")
    func reading() throws {
        try prepare(parallelism: 1)
        let described = try run("plugin", "describe", "./keeper.so")
        #expect(described.output.contains("kept: operator (split), schema 3 text"), "\(described)")
        let list = try run("state", "ls", "--checkpoint", "cp")
        list.expect(status: 0)
        #expect(list.output.contains(#/keeper +kept +operator +3 +0 +6 +42 +-/#), "\(list)")
        try run("state", "size", "--checkpoint", "cp").expect(prints: "kept")
        let got = try run("state", "get", "kept", "--checkpoint", "cp")
        got.expect(status: 0)
        #expect(
            got.output.hasPrefix(
                """
                keeper  'kept'
                  in subtask 0, 42 bytes
                  kept: operator, schema 3, 6 values
                    [0] '{"k":0}'
                    [1] '{"k":1}'

                """
            ),
            "\(got)"
        )
        let scan = try run("state", "scan", "--checkpoint", "cp", "--prefix", "ke", "--json")
        scan.expect(prints: "\"subtask\"")
        try run("state", "scan", "--checkpoint", "cp", "--prefix", "x")
            .expect(prints: "no keys")
        #expect(
            try export() == Self.records.enumerated().map { Self.line(0, $0, $1) }
        )
        let one = try run(
            "state",
            "export",
            "--checkpoint",
            "cp",
            "--operator",
            "keeper",
            "--state",
            "kept"
        )
        #expect(one.output.split(separator: "\n").count == 8, "\(one)")
        let show = try run("checkpoint", "show", "cp")
        #expect(
            show.output.contains("operator state kept: split, 6 items, schema version 3, text"),
            "\(show)"
        )
    }

    @Test("is imported, and neither purged nor brought back")
    func changing() throws {
        try prepare()
        let before = try export()
        #expect(before.count == 6)
        func bring(_ lines: [String], _ options: String...) throws -> Run {
            try workspace.write("new.jsonl", lines.joined(separator: "\n") + "\n")
            return try workspace.start(
                ["state", "import", "new.jsonl", "--checkpoint", "cp"] + options
            )
            .finish(atMost: 60)
        }
        let new = [Self.line(0, 0, "a"), Self.line(1, 0, "b"), Self.line(1, 1, "c")]
        try bring(new, "--existing", "keep", "--yes")
            .expect(prints: "brought 0 of 3 lines")
        #expect(try export() == before)
        try bring(new).expect(prints: "would bring 3 of 3 lines")
        #expect(try export() == before)
        try bring(new, "--yes").expect(prints: "brought 3 of 3 lines")
        #expect(try export() == new)
        let show = try run("checkpoint", "show", "cp")
        #expect(show.output.contains("operator state kept: split, 3 items"), "\(show)")
        try run("checkpoint", "verify", "cp").expect(status: 0)
        try bring(before, "--yes").expect(status: 0)
        #expect(try export() == before, "what was exported comes back as it was")
        // What is wrong with a line.
        try bring([Self.line(2, 0, "a")])
            .expect(status: 2, says: "new.jsonl:1: 'subtask': expected 0 to 1")
        try bring([Self.line(0, 1, "a")])
            .expect(status: 2, says: "expected index 0 of 'kept' in subtask 0, found 1")
        try bring([Self.line(0, 0, "a").replacing("kept", with: "kep")])
            .expect(status: 2, says: "there is no operator state 'kep'; expected one of kept")
        // What it is not for.
        let how = "'kept' is operator state, and this works on keyed state alone; to change"
        try run("state", "purge", "--checkpoint", "cp", "--where", "idle > 1s", "--state", "kept")
            .expect(status: 2, says: how)
        try workspace.write(
            "old.jsonl",
            (try run("state", "export", "--checkpoint", "cp")).output
        )
        try run("state", "undo", "old.jsonl", "--checkpoint", "cp")
            .expect(status: 2, says: "operator state is no keyed state, which alone")
    }

    @Test("a file of it that was damaged is named by tools, and not gone on from")
    func damage() throws {
        try prepare()
        let show = try run("checkpoint", "show", "cp", "--json")
        let name = try #require(
            try workspace.tool(["grep", "-l", "APUSOPST", "-r", "cp/files"]).output
                .split(separator: "\n").first
        )
        #expect(show.output.contains("operatorState"), "\(show)")
        let file = URL(filePath: workspace.path(String(name)))
        var bytes = try Data(contentsOf: file)
        bytes[bytes.count - 2] ^= 1
        try bytes.write(to: file)
        try run("state", "ls", "--checkpoint", "cp")
            .expect(status: 2, says: "(keeper) does not hold what was written")
        let verify = try run("checkpoint", "verify", "cp")
        #expect(verify.end != .exited(0), "\(verify)")
        #expect(try run("run", "job.yaml", "--from", "latest").end != .exited(0))
    }

    @Test("goes on from a savepoint in a new folder")
    func savepoint() throws {
        try prepare()
        try run("savepoint", "create", "--checkpoint", "cp", "--to", "sp").expect(status: 0)
        let inspect = try run("savepoint", "inspect", "sp")
        inspect.expect(status: 0)
        #expect(inspect.output.contains(#/keeper +kept +operator +3 +6/#), "\(inspect)")
        try workspace.write("job2.yaml", job("cp2", parallelism: 2))
        try run("run", "job2.yaml", "--from", "sp").expect(status: 0)
        #expect(try export("cp2") == export())
        // A checkpoint that was made of a savepoint calls its files otherwise.
        try workspace.write("new.jsonl", Self.line(0, 0, "a") + "\n")
        try run("state", "import", "new.jsonl", "--checkpoint", "cp2", "--yes").expect(status: 0)
        #expect(try export("cp2") == [Self.line(0, 0, "a")])
        try run("checkpoint", "verify", "cp2").expect(status: 0)
    }
}
