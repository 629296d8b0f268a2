import Testing

/// A plugin for one test, compiled from a few lines of C or C++.
///
/// It is called `test.tiny`, version 1.2.3, and has one component, `tiny`, that passes records on
/// unless a test says otherwise.
struct TinyPlugin {
    /// The language; it decides on the compiler.
    enum Language: String {
        case c = "c"
        case cxx = "cpp"
    }

    /// What stands before everything else.
    var prelude = ""
    /// The body of `create(const apus_args *args, void **self, apus_error *error)`.
    var create = "*self = 0; return APUS_OK;"
    /// The body of `process(void *self, apus_ctx *ctx, const apus_batch *batch)`.
    var process = """
        for (uint32_t i = ctx->at; i < batch->count; i++) {
            int32_t rc = apus_forward(ctx->outs[0], batch, i);
            if (rc != APUS_OK) return apus_at(ctx, i, APUS_YIELD);
        }
        return APUS_OK;
        """
    var language = Language.c

    /// The text of the plugin.
    var source: String {
        """
        #include <signal.h>
        #include <stdlib.h>
        #include <unistd.h>
        #include <apus/apus.h>
        APUS_PLUGIN_NOTE(APUS_LANGUAGE_C, 0);
        \(prelude)
        static int32_t create(const apus_args *args, void **self, apus_error *error) {
            (void)args, (void)self, (void)error;
            \(create)
        }
        static void destroy(void *self) { (void)self; }
        static int32_t process(void *self, apus_ctx *ctx, const apus_batch *batch) {
            (void)self, (void)ctx, (void)batch;
            \(process)
        }
        static const apus_port main_port = {
            sizeof main_port, 0, APUS_STR("main"), APUS_STR("all records")};
        static const apus_port *const outputs[] = {&main_port};
        static const apus_operator_vt functions = {
            sizeof functions, 0, 0, 0, process, 0, 0};
        static const apus_component component = {
            sizeof component, APUS_OPERATOR, create, destroy, &functions, APUS_STR("tiny"),
            APUS_STR("for a test"), 0, 1, 1, 0, 0, 0, outputs, 0, 0, 0};
        static const apus_component *const components[] = {&component};
        static const apus_plugin plugin = {
            sizeof plugin, APUS_ABI_MINOR, APUS_ABI_MINOR, APUS_STR("test.tiny"),
            APUS_STR("1.2.3"), APUS_STR("Apus"), 1, 0, components};
        APUS_EXPORT const apus_plugin *apus_plugin_v0(const apus_host *host, apus_error *error) {
            (void)host, (void)error;
            return &plugin;
        }
        """
    }

    /// Compiles the plugin as `libtiny.so` in a folder.
    func build(in workspace: Workspace) throws {
        try Self.build(source, as: "libtiny.so", language, in: workspace)
    }

    /// Compiles a text as a shared library.
    static func build(
        _ text: String,
        as name: String,
        _ language: Language = .c,
        in workspace: Workspace
    ) throws {
        let source = "\(name).\(language.rawValue)"
        try workspace.write(source, text + "\n")
        let run = try workspace.tool(
            [language == .c ? "clang" : "clang++", "-O1", "-w", "-shared", "-fPIC"]
                + ["-fvisibility=hidden", "-I", Program.file("sdk/c/include"), source, "-o", name]
        )
        try #require(run.end == .exited(0), "\(run)")
    }
}
