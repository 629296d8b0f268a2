/// A plugin whose state a test can compute: of each kind one, and a timer per key.
///
/// For a record whose value is any text: `count` is how many records the key had, `lines` is all
/// of them in order, `last` maps the text's last byte to the text, and the timer `far`, by the
/// clock on the wall, is due in the year 2100.  Emits `KEY COUNT`, except for keys that begin with
/// a tilde.
enum TallyPlugin {
    /// Compiles it as `libtally.so`.
    static func build(in workspace: Workspace) throws {
        try TinyPlugin.build(source, as: "libtally.so", in: workspace)
    }

    /// Compiles another version of it, with the same state, that emits `KEY COUNT!`.
    static func buildNext(as name: String, in workspace: Workspace) throws {
        let next = source.replacing("%.*s %lld", with: "%.*s %lld!")
            .replacing("1.0.0", with: "2.0.0")
        try TinyPlugin.build(next, as: name, in: workspace)
    }

    /// Compiles another version of it, with the same state, that crashes with a key that begins
    /// with a question mark.
    static func buildCrashing(as name: String, in workspace: Workspace) throws {
        let crashing = source.replacing("'~') continue;", with: "'?') abort();")
            .replacing("%.*s %lld", with: "%.*s %lld!").replacing("1.0.0", with: "3.0.0")
        try TinyPlugin.build(crashing, as: name, in: workspace)
    }

    /// Compiles another version of it whose rows are laid out anew: it counts in a state of its own
    /// as well, and has dropped that of other such versions.
    static func buildChanged(_ number: Int, as name: String, in workspace: Workspace) throws {
        let changed = source.replacing("%.*s %lld", with: "%.*s %lld!")
            .replacing("1.0.0", with: "4.0.\(number)")
            .replacing(
                "counter_add(ctx, 0, i, 1, &count)",
                with: "counter_add(ctx, 1, i, 1, &count)"
            )
            .replacing("list_append(ctx, 1", with: "list_append(ctx, 2")
            .replacing("map_put(ctx, 2", with: "map_put(ctx, 3")
            .replacing(
                "if (rc == APUS_OK) rc = ctx->state->list",
                with: "int64_t own; if (rc == APUS_OK) rc = ctx->state->counter_add(ctx, 0, i, 1, "
                    + "&own);\nif (rc == APUS_OK) rc = ctx->state->list"
            )
            .replacing(
                "static const apus_state_decl *const states[] = {",
                with: "static const apus_state_decl own = {.size = sizeof own, .kind = "
                    + "APUS_STATE_COUNTER, .name = APUS_STR(\"own-\(number)\"), "
                    + ".schema_version = 1};\n"
                    + "static const apus_state_decl *const states[] = {&own, "
            )
            .replacing(".state_count = 3", with: ".state_count = 4")
        try TinyPlugin.build(changed, as: name, in: workspace)
    }

    private static let source = """
        #include <stdio.h>
        #include <stdlib.h>
        #include <apus/apus.h>
        APUS_PLUGIN_NOTE(APUS_LANGUAGE_C, 0);
        static int32_t create(const apus_args *args, void **self, apus_error *error) {
            static char instance;
            (void)args, (void)error;
            *self = &instance;
            return APUS_OK;
        }
        static void destroy(void *self) { (void)self; }
        static int32_t process(void *self, apus_ctx *ctx, const apus_batch *b) {
            (void)self;
            for (uint32_t i = ctx->at; i < b->count; i++) {
                const uint8_t *value, *key;
                uint32_t length, key_length;
                if (apus_out_room(ctx->outs[0], 300)) return apus_at(ctx, i, APUS_YIELD);
                apus_value(b, i, &value, &length);
                apus_key(b, i, &key, &key_length);
                int64_t count;
                int32_t rc = ctx->state->counter_add(ctx, 0, i, 1, &count);
                if (rc == APUS_OK) rc = ctx->state->list_append(ctx, 1, i, value, length);
                if (rc == APUS_OK)
                    rc = ctx->state->map_put(ctx, 2, i, value + length - 2, 1, value, length);
                if (rc == APUS_OK)
                    rc = ctx->timers->set(ctx, 0, 7, i, 4102444800000000, "later", 5);
                if (rc != APUS_OK) return apus_at(ctx, i, rc);
                if (key_length > 0 && key[0] == '~') continue;
                char text[300];
                int n = snprintf(text, sizeof text, "%.*s %lld", (int)key_length, (const char *)key,
                    (long long)count);
                apus_emit_keyed(ctx->outs[0], b, i, text, (uint32_t)n);
            }
            return APUS_OK;
        }
        static int32_t fire(void *self, apus_ctx *ctx, const apus_timers *timers) {
            (void)self, (void)ctx, (void)timers;
            return APUS_OK;
        }
        static const apus_port main_port = {
            .size = sizeof main_port, .name = APUS_STR("main"), .summary = APUS_STR("counts")};
        static const apus_port *const outputs[] = {&main_port};
        static const apus_state_decl count = {.size = sizeof count, .kind = APUS_STATE_COUNTER,
            .name = APUS_STR("count"), .schema_version = 1};
        static const apus_state_decl lines = {.size = sizeof lines, .kind = APUS_STATE_LIST,
            .name = APUS_STR("lines"), .schema_version = 1};
        static const apus_state_decl last = {.size = sizeof last, .kind = APUS_STATE_MAP,
            .name = APUS_STR("last"), .schema_version = 1};
        static const apus_state_decl *const states[] = {&count, &lines, &last};
        static const apus_timer_decl far_timer = {.size = sizeof far_timer,
            .domain = APUS_PROCESSING_TIME, .name = APUS_STR("far")};
        static const apus_timer_decl *const timers[] = {&far_timer};
        static const apus_operator_vt functions = {
            .size = sizeof functions, .process = process, .on_timers = fire};
        static const apus_component component = {.size = sizeof component,
            .kind = APUS_OPERATOR, .create = create, .destroy = destroy, .vt = &functions,
            .id = APUS_STR("tally"), .summary = APUS_STR("for tests"), .flags = APUS_KEYED,
            .input_count = 1, .output_count = 1, .outputs = outputs, .state_count = 3,
            .states = states, .timer_count = 1, .timers = timers};
        static const apus_component *const components[] = {&component};
        static const apus_plugin plugin = {.size = sizeof plugin, .abi_minor = APUS_ABI_MINOR,
            .abi_minor_floor = APUS_ABI_MINOR, .id = APUS_STR("test.tally"),
            .version = APUS_STR("1.0.0"), .vendor = APUS_STR("Apus"), .component_count = 1,
            .components = components};
        APUS_EXPORT const apus_plugin *apus_plugin_v0(const apus_host *host, apus_error *error) {
            (void)host, (void)error;
            return &plugin;
        }
        """
}
