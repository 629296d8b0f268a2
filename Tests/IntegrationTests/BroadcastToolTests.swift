import Foundation
import Testing

/// Broadcast state on the command line: a job runs, its checkpoints are looked at, a savepoint is
/// made, and a job goes on from it.
@Suite("Integration: broadcast state")
struct BroadcastToolTests {
    private let workspace: Workspace

    init() throws {
        workspace = try Workspace()
    }

    /// Emits each record with the number of rules; a rule is stored under its text.
    private static let plugin = """
        #include <stdio.h>
        #include "apus/apus.h"
        APUS_PLUGIN_NOTE(APUS_LANGUAGE_C, 0);
        static int32_t create(const apus_args *a, void **s, apus_error *e) {
            (void)a, (void)e; *s = NULL; return APUS_OK;
        }
        static void destroy(void *s) { (void)s; }
        static int32_t process(void *s, apus_ctx *ctx, const apus_batch *b) {
            (void)s;
            for (uint32_t i = ctx->at; i < b->count; i++) {
                char text[32];
                uint64_t n;
                if (apus_out_room(ctx->outs[0], 64)) return apus_at(ctx, i, APUS_YIELD);
                if (ctx->broadcast->count(ctx, 0, &n)) return APUS_FATAL;
                int len = snprintf(text, sizeof text, "%llu", (unsigned long long)n);
                apus_emit(ctx->outs[0], NULL, 0, text, (uint32_t)len, b->ts[i]);
            }
            return APUS_OK;
        }
        static int32_t rule(void *s, apus_ctx *ctx, const apus_batch *b) {
            (void)s;
            for (uint32_t i = ctx->at; i < b->count; i++) {
                const uint8_t *data;
                uint32_t len;
                apus_value(b, i, &data, &len);
                int32_t rc = ctx->broadcast->put(ctx, 0, data, len, "on", 2);
                if (rc) return apus_at(ctx, i, rc);
            }
            return APUS_OK;
        }
        static const apus_port port = {sizeof port, 0, APUS_STR("main"), APUS_STR("")};
        static const apus_port *const ports[] = {&port};
        static const apus_state_decl rules = {
            sizeof rules, APUS_STATE_BROADCAST, APUS_STR("rules"), 3, 0, 0, 0, APUS_STR("text")};
        static const apus_state_decl *const broadcasts[] = {&rules};
        static const apus_operator_vt vt = {
            .size = sizeof vt, .process = process, .process_broadcast = rule};
        static const apus_component component = {
            .size = sizeof component, .kind = APUS_OPERATOR, .create = create, .destroy = destroy,
            .vt = &vt, .id = APUS_STR("ruled"), .input_count = 1, .output_count = 1,
            .outputs = ports, .broadcast_input_count = 1, .broadcast_count = 1,
            .broadcasts = broadcasts};
        static const apus_component *const components[] = {&component};
        static const apus_plugin plugin = {
            sizeof plugin, APUS_ABI_MINOR, APUS_ABI_MINOR, APUS_STR("test.ruled"),
            APUS_STR("1.0.0"), APUS_STR("test"), 1, 0, components};
        APUS_EXPORT const apus_plugin *apus_plugin_v0(const apus_host *h, apus_error *e) {
            (void)h, (void)e; return &plugin;
        }
        """

    private func job(_ folder: String, rules: String) -> String {
        """
        apiVersion: apus/v1
        kind: Job
        metadata: { name: ruled }
        spec:
          parallelism: 3
          checkpoint: { dir: \(folder), interval: 1h }
          sources:
            - { id: rules, plugin: file, config: { path: \(rules) } }
            - { id: in, plugin: file, config: { path: in.jsonl } }
          operators:
            - { id: ruled, plugin: ./ruled.so, input: in, broadcast: [rules] }
          sinks:
            - { id: out, plugin: file, input: ruled, config: { path: out.jsonl } }

        """
    }

    @Test("is listed, found, scanned, exported, saved and gone on with")
    func tools() throws {
        try prepare()
        try run("run", "job.yaml").expect(status: 0)
        let list = try run("state", "ls", "--checkpoint", "cp")
        list.expect(status: 0)
        #expect(list.output.contains(#/ruled +rules +broadcast +3 +0 +2 +18 +-/#), "\(list)")
        let got = try run("state", "get", "{\"a\":1}", "--checkpoint", "cp")
        got.expect(status: 0)
        #expect(
            got.output == """
                ruled  '{"a":1}'
                  in every subtask, 9 bytes
                  rules: broadcast, schema 3 = 'on'

                """,
            "\(got)"
        )
        let scan = try run("state", "scan", "--checkpoint", "cp", "--from", "{\"b", "--json")
        scan.expect(status: 0)
        #expect(scan.output.contains("\"broadcast\"") && !scan.output.contains("{\\\"a"))
        let export = try run("state", "export", "--checkpoint", "cp", "-o", "export.jsonl")
        export.expect(status: 0)
        let lines = workspace.text("export.jsonl")
        #expect(
            lines.contains(
                #"{"operator":"ruled","state":"rules","kind":"broadcast","schemaVersion":3,"#
                    + #""mapKey":"{\"a\":1}","value":"on"}"#
            ),
            "\(lines)"
        )
        let show = try run("checkpoint", "show", "cp", "1")
        #expect(
            show.output.contains("broadcast state rules: 2 entries, schema version 3, text"),
            "\(show)"
        )
    }

    @Test("is imported, and neither purged nor brought back")
    func changes() throws {
        try prepare()
        try run("run", "job.yaml").expect(status: 0)
        let line = #"{"operator":"ruled","state":"rules","kind":"broadcast","#
        try workspace.write(
            "new.jsonl",
            line + #""mapKey":"{\"a\":1}","value":"off"}"# + "\n" + line
                + #""schemaVersion":3,"mapKey":"c","valueHex":"00"}"# + "\n"
        )
        func bring(_ options: String...) throws -> Run {
            try workspace.start(
                ["state", "import", "new.jsonl", "--checkpoint", "cp"] + options
            )
            .finish(atMost: 60)
        }
        try bring().expect(prints: "would bring 2 of 2 lines")
        let kept = try bring("--existing", "keep", "--yes")
        kept.expect(prints: "brought 1 of 2 lines")
        func rules() throws -> [Substring] {
            let export = try run("state", "export", "--checkpoint", "cp")
            export.expect(status: 0)
            return export.output.split(separator: "\n")
                .compactMap { line in
                    line.firstRange(of: "\"mapKey").map { line[$0.lowerBound...] }
                }
        }
        let new = Substring(#""mapKey":"c","valueHex":"00"}"#)
        let b = Substring(#""mapKey":"{\"b\":2}","value":"on"}"#)
        #expect(
            try rules() == [
                new, Substring(#""mapKey":"{\"a\":1}","value":"on"}"#), b,
            ]
        )
        try bring("--yes").expect(prints: "brought 2 of 2 lines")
        #expect(
            try rules() == [
                new, Substring(#""mapKey":"{\"a\":1}","value":"off"}"#), b,
            ]
        )
        let show = try run("checkpoint", "show", "cp")
        #expect(show.output.contains("broadcast state rules: 3 entries"), "\(show)")
        try run("checkpoint", "verify", "cp").expect(status: 0)
        // The job takes what was brought in.
        try run("run", "job.yaml", "--from", "latest").expect(status: 0)
        for wrong in [
            (#""state":"rule""#, "there is no broadcast state 'rule'"),
            (#""state":"rules","schemaVersion":2"#, "has version 3"),
            (#""state":"rules","mapKey":"x","keyHex":"0""#, "would bring 1 of 1"),
        ] {
            try workspace.write(
                "new.jsonl",
                #"{"operator":"ruled",\#(wrong.0),"kind":"broadcast","value":"v""#
                    + (wrong.0.contains("mapKey") ? "}\n" : #","mapKey":"k"}"# + "\n")
            )
            let found = try bring()
            #expect(found.errors.contains(wrong.1) || found.output.contains(wrong.1), "\(found)")
        }
        let how = "'rules' is broadcast state, and this works on keyed state alone"
        let purge = ["state", "purge", "--checkpoint", "cp", "--where", "idle > 1s"]
        try workspace.start(purge + ["--operator", "ruled", "--state", "rules"])
            .finish(atMost: 60).expect(status: 2, says: how)
        try workspace.start(purge + ["--state", "rules"]).finish(atMost: 60)
            .expect(status: 2, says: how)
        let export = try run("state", "export", "--checkpoint", "cp", "-o", "export.jsonl")
        export.expect(status: 0)
        try run("state", "undo", "export.jsonl", "--checkpoint", "cp")
            .expect(status: 2, says: "broadcast state is no keyed state, which alone")
    }

    @Test("goes on from a savepoint in a new folder")
    func savepoint() throws {
        try prepare()
        try run("run", "job.yaml").expect(status: 0)
        try run("savepoint", "create", "--checkpoint", "cp", "--to", "sp").expect(status: 0)
        let inspect = try run("savepoint", "inspect", "sp")
        inspect.expect(status: 0)
        #expect(inspect.output.contains(#/ruled +rules +broadcast +3 +2/#), "\(inspect)")
        try workspace.write("job2.yaml", job("cp2", rules: "rules.jsonl"))
        try run("run", "job2.yaml", "--from", "sp").expect(status: 0)
        let list = try run("state", "ls", "--checkpoint", "cp2")
        #expect(list.output.contains(#/ruled +rules +broadcast +3 +0 +2 +18/#), "\(list)")
    }

    private func prepare() throws {
        try workspace.write("ruled.c", Self.plugin)
        try workspace.write("rules.jsonl", "{\"b\":2}\n{\"a\":1}\n")
        try workspace.write("in.jsonl", "{\"x\":1}\n")
        try workspace.write("job.yaml", job("cp", rules: "rules.jsonl"))
        let compiled = try workspace.tool([
            "clang", "-std=c11", "-shared", "-fPIC", "-fvisibility=hidden", "-I",
            Program.file("sdk/c/include"), "ruled.c", "-o", "ruled.so",
        ])
        compiled.expect(status: 0)
    }

    private func run(_ arguments: String...) throws -> Run {
        try workspace.start(arguments).finish(atMost: 60)
    }
}
