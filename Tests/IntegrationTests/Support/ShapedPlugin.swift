/// A plugin with the states and timers that a test wants, whose operator passes records on.
struct ShapedPlugin {
    /// A state of a key, a broadcast state, an operator state or a timer.
    struct Part {
        /// `VALUE`, `COUNTER`, `LIST`, `MAP`, `BROADCAST`, `SPLIT`, `UNION`, `EVENT_TIME` or
        /// `PROCESSING_TIME`, as the headers have them.
        let kind: String
        let name: String
        var version = 1
        var fixedLength = 0
        /// The oldest version that its migrate takes; 0 for no migrate.
        var reads = 0
        var isReversible = false
        var oldName = ""

        init(
            _ kind: String,
            _ name: String,
            v version: Int = 1,
            fixed fixedLength: Int = 0,
            reads: Int = 0,
            back isReversible: Bool = false,
            was oldName: String = ""
        ) {
            self.kind = kind
            self.name = name
            self.version = version
            self.fixedLength = fixedLength
            self.reads = reads
            self.isReversible = isReversible
            self.oldName = oldName
        }

        fileprivate var isTimer: Bool { kind.hasSuffix("_TIME") }
        fileprivate var isOperatorState: Bool { kind == "SPLIT" || kind == "UNION" }
        fileprivate var isBroadcast: Bool { kind == "BROADCAST" }
    }

    var version = "1.0.0"
    var parts: [Part] = []
    var flags = "APUS_KEYED"
    var output = "main"
    /// The version of the private snapshot; nil for none.
    var snapshot: Int?
    /// The oldest minor version of the ABI that it takes.
    var abiFloor = "APUS_ABI_MINOR"

    /// Compiles it.
    func build(as name: String, in workspace: Workspace) throws {
        try TinyPlugin.build(source, as: name, in: workspace)
    }

    /// The text of declarations of one kind, and of an array of them.
    private func declare(_ array: String, _ type: String, _ parts: [Part]) -> String {
        let declarations = parts.enumerated().map { index, part -> String in
            var fields = [".size = sizeof \(array)_\(index)", ".name = APUS_STR(\"\(part.name)\")"]
            if part.version != 1 || !part.isTimer {
                fields.append(".schema_version = \(part.version)")
            }
            if part.isTimer {
                fields.append(".domain = APUS_\(part.kind)")
            } else if part.isOperatorState {
                fields.append(".redistribution = APUS_\(part.kind)")
            } else {
                fields.append(".kind = APUS_STATE_\(part.kind)")
            }
            if part.fixedLength > 0 { fields.append(".fixed_len = \(part.fixedLength)") }
            if part.reads > 0 {
                fields.append(".min_readable = \(part.reads)")
                fields.append(".migrate = \(part.isTimer ? "move_timer" : "bring")")
            }
            if part.isReversible { fields.append(".migration_flags = APUS_MIGRATES_BACK") }
            if !part.oldName.isEmpty {
                fields.append(".renamed_from = APUS_STR(\"\(part.oldName)\")")
            }
            return "static const \(type) \(array)_\(index) = {\(fields.joined(separator: ", "))};"
        }
        let names = parts.indices.map { "&\(array)_\($0)" } + ["0"]
        return
            (declarations
            + ["static const \(type) *const \(array)[] = {\(names.joined(separator: ", "))};"])
            .joined(separator: "\n")
    }

    private var source: String {
        let timers = parts.filter(\.isTimer)
        let lists = parts.filter(\.isOperatorState)
        let broadcasts = parts.filter(\.isBroadcast)
        let states = parts.filter { !$0.isTimer && !$0.isOperatorState && !$0.isBroadcast }
        return """
            #include <apus/apus.h>
            #include <string.h>
            APUS_PLUGIN_NOTE(APUS_LANGUAGE_C, 0);
            static int32_t create(const apus_args *args, void **self, apus_error *error) {
                static char instance;
                (void)args, (void)error;
                *self = &instance;
                return APUS_OK;
            }
            static void destroy(void *self) { (void)self; }
            static int32_t process(void *self, apus_ctx *ctx, const apus_batch *batch) {
                (void)self;
                for (uint32_t i = ctx->at; i < batch->count; i++) {
                    int32_t rc = apus_forward(ctx->outs[0], batch, i);
                    if (rc != APUS_OK) return apus_at(ctx, i, APUS_YIELD);
                }
                return APUS_OK;
            }
            static int32_t fire(void *self, apus_ctx *ctx, const apus_timers *timers) {
                (void)self, (void)ctx, (void)timers;
                return APUS_OK;
            }
            static int32_t learn(void *self, apus_ctx *ctx, const apus_batch *batch) {
                (void)self, (void)ctx, (void)batch;
                return APUS_OK;
            }
            static int32_t bring(const apus_migration *m, apus_writer *w, apus_error *e) {
                (void)e;
                return w->write(w, m->value.data, m->value.len);
            }
            static int32_t move_timer(
                const apus_timer_migration *m, apus_timer_target *t, apus_writer *w,
                apus_error *e) {
                (void)m, (void)t, (void)w, (void)e;
                return APUS_OK;
            }
            static int32_t save(void *self, apus_ctx *ctx, apus_writer *w) {
                (void)self, (void)ctx;
                return w->write(w, "x", 1);
            }
            static int32_t load(
                void *self, apus_ctx *ctx, apus_reader *bytes, uint32_t version) {
                (void)self, (void)ctx, (void)bytes, (void)version;
                return APUS_OK;
            }
            \(extensions)
            \(declare("states", "apus_state_decl", states))
            \(declare("timers", "apus_timer_decl", timers))
            \(declare("broadcasts", "apus_state_decl", broadcasts))
            \(declare("lists", "apus_operator_state_decl", lists))
            static const apus_port out_port = {.size = sizeof out_port,
                .name = APUS_STR("\(output)"), .summary = APUS_STR("all records")};
            static const apus_port *const outputs[] = {&out_port};
            static const apus_operator_vt functions = {.size = sizeof functions,
                .process = process, .on_timers = fire, .process_broadcast = learn};
            static const apus_component component = {.size = sizeof component,
                .kind = APUS_OPERATOR, .create = create, .destroy = destroy, .vt = &functions,
                .id = APUS_STR("shaped"), .summary = APUS_STR("for tests"), .flags = \(flags),
                .input_count = 1, .output_count = 1, .outputs = outputs,
                .state_count = \(states.count), .states = states,
                .timer_count = \(timers.count), .timers = timers,
                .broadcast_input_count = \(broadcasts.isEmpty ? 0 : 1),
                .broadcast_count = \(broadcasts.count), .broadcasts = broadcasts,
                .operator_state_count = \(lists.count), .operator_states = lists,
                .get_extension = EXTENSIONS};
            static const apus_component *const components[] = {&component};
            static const apus_plugin plugin = {.size = sizeof plugin,
                .abi_minor = APUS_ABI_MINOR, .abi_minor_floor = \(abiFloor),
                .id = APUS_STR("test.shaped"), .version = APUS_STR("\(version)"),
                .vendor = APUS_STR("Apus"), .component_count = 1, .components = components};
            APUS_EXPORT const apus_plugin *apus_plugin_v0(
                const apus_host *host, apus_error *error) {
                (void)host, (void)error;
                return &plugin;
            }
            """
    }

    private var extensions: String {
        guard let snapshot else { return "#define EXTENSIONS 0" }
        return """
            static const apus_snapshot snapshot = {.size = sizeof snapshot,
                .version = \(snapshot), .save = save, .load = load};
            static const void *find(const char *name) {
                return strcmp(name, APUS_SNAPSHOT) == 0 ? &snapshot : 0;
            }
            #define EXTENSIONS find
            """
    }
}
