// The host in memory brings state of all kinds forward and back, and drops what migrate drops.
#include <stdio.h>
#include <stdlib.h>

#include "apus/test.h"

// Each record goes into all states; version 2 has a '2' before each text, and not those with 'x'.
static int32_t create(const apus_args *args, void **self, apus_error *error) {
    (void)args, (void)error;
    *self = calloc(1, 1);
    return *self ? APUS_OK : APUS_FATAL;
}

static void destroy(void *self) {
    free(self);
}

static apus_bytes value_of(const apus_batch *b, uint32_t i) {
    const uint8_t *data;
    uint32_t len;
    apus_value(b, i, &data, &len);
    return (apus_bytes){data, len};
}

static int32_t process(void *self, apus_ctx *ctx, const apus_batch *b) {
    (void)self;
    for (uint32_t i = 0; i < b->count; i++) {
        apus_bytes v = value_of(b, i);
        ctx->state->value_put(ctx, 0, i, v.data, v.len);
        ctx->state->list_append(ctx, 1, i, v.data, v.len);
        ctx->operator_state->append(ctx, 0, v.data, v.len);
    }
    return APUS_OK;
}

static int32_t process_broadcast(void *self, apus_ctx *ctx, const apus_batch *b) {
    (void)self;
    for (uint32_t i = 0; i < b->count; i++) {
        apus_bytes v = value_of(b, i);
        ctx->broadcast->put(ctx, 0, v.data, v.len, v.data, v.len);
    }
    return APUS_OK;
}

// What migrate was given last of a list or a map: its key, or its position.
static char last_entry[16];

static int32_t migrate(const apus_migration *m, apus_writer *to, apus_error *error) {
    uint64_t position = 0;
    if (m->entry.len == sizeof position && m->key.len == 0) {
        memcpy(&position, m->entry.data, sizeof position);
        snprintf(last_entry, sizeof last_entry, "%d", (int)position);
    } else {
        snprintf(last_entry, sizeof last_entry, "%.*s", (int)m->entry.len,
            (const char *)m->entry.data);
    }
    if (memchr(m->value.data, 'x', m->value.len)) return APUS_NOT_FOUND;
    if (memchr(m->value.data, '!', m->value.len)) return apus_fail(error, APUS_FATAL, "a '!'");
    if (m->to_version == 1) return to->write(to, m->value.data + 1, m->value.len - 1);
    int32_t rc = to->write(to, "2", 1);
    return rc ? rc : to->write(to, m->value.data, m->value.len);
}

#define STATE(of, state_kind, state_name) \
    static const apus_state_decl of##1 = { \
        .size = sizeof of##1, .kind = state_kind, .name = APUS_STR(state_name), \
        .schema_version = 1}; \
    static const apus_state_decl of##2 = { \
        .size = sizeof of##2, .kind = state_kind, .name = APUS_STR(state_name "-2"), \
        .schema_version = 2, .min_readable = 1, .renamed_from = APUS_STR(state_name), \
        .migration_flags = APUS_MIGRATES_BACK, .migrate = migrate};

STATE(value, APUS_STATE_VALUE, "value")
STATE(list, APUS_STATE_LIST, "list")
STATE(rules, APUS_STATE_BROADCAST, "rules")

static const apus_state_decl more = {
    .size = sizeof more, .kind = APUS_STATE_BROADCAST, .name = APUS_STR("more"),
    .schema_version = 1};
static const apus_operator_state_decl waiting1 = {
    .size = sizeof waiting1, .redistribution = APUS_SPLIT, .name = APUS_STR("waiting"),
    .schema_version = 1};
static const apus_operator_state_decl waiting2 = {
    .size = sizeof waiting2, .redistribution = APUS_SPLIT, .name = APUS_STR("waiting-2"),
    .schema_version = 2, .min_readable = 1, .renamed_from = APUS_STR("waiting"),
    .migrate = migrate};
static const apus_operator_state_decl other = {
    .size = sizeof other, .redistribution = APUS_UNION, .name = APUS_STR("other"),
    .schema_version = 1};
static const apus_operator_state_decl as_union = {
    .size = sizeof as_union, .redistribution = APUS_UNION, .name = APUS_STR("waiting"),
    .schema_version = 1};

static const apus_state_decl *const states1[] = {&value1, &list1};
static const apus_state_decl *const states2[] = {&value2, &list2};
static const apus_state_decl *const rules_1[] = {&rules1};
static const apus_state_decl *const rules_2[] = {&more, &rules2};  // at another place
static const apus_operator_state_decl *const waiting_1[] = {&waiting1};
static const apus_operator_state_decl *const waiting_2[] = {&other, &waiting2};
static const apus_operator_state_decl *const waiting_union[] = {&as_union};

static const apus_port port = {
    .size = sizeof port, .name = APUS_STR("main"), .summary = APUS_STR("x")};
static const apus_port *const outputs[] = {&port};
static const apus_operator_vt functions = {
    .size = sizeof functions, .process = process, .process_broadcast = process_broadcast};

#define VERSION(n, keyed, all_rules, rule_count, lists, list_count) \
    static const apus_component component##n = { \
        .size = sizeof component##n, .kind = APUS_OPERATOR, .create = create, \
        .destroy = destroy, .vt = &functions, .id = APUS_STR("all"), .flags = APUS_KEYED, \
        .input_count = 1, .output_count = 1, .outputs = outputs, .state_count = 2, \
        .states = keyed, .broadcast_input_count = 1, .broadcast_count = rule_count, \
        .broadcasts = all_rules, .operator_state_count = list_count, .operator_states = lists}; \
    static const apus_component *const components##n[] = {&component##n}; \
    static const apus_plugin plugin##n = { \
        .size = sizeof plugin##n, .abi_minor = APUS_ABI_MINOR, .abi_minor_floor = 3, \
        .id = APUS_STR("test.all"), .version = APUS_STR("1.0.0"), .vendor = APUS_STR("x"), \
        .component_count = 1, .components = components##n}; \
    static const apus_plugin *entry##n(const apus_host *host, apus_error *error) { \
        (void)host, (void)error; \
        return &plugin##n; \
    }

VERSION(1, states1, rules_1, 1, waiting_1, 1)
VERSION(2, states2, rules_2, 2, waiting_2, 2)
VERSION(3, states1, rules_1, 1, NULL, 0)          // no operator state
VERSION(4, states1, rules_1, 1, waiting_union, 1)  // for another distribution

static int checks;

static void expect(int is_so, int line) {
    checks++;
    if (is_so) return;
    fprintf(stderr, "migration_test: line %d: not so\n", line);
    exit(1);
}
#define EXPECT(condition) expect(condition, __LINE__)

static int is(apus_bytes bytes, const char *text) {
    return bytes.len == strlen(text) && memcmp(bytes.data, text, bytes.len) == 0;
}

static int is_shared(apus_test *t, const char *state, uint64_t position, const char *text) {
    return is(apus_test_shared(t, state, position).value, text);
}

static int has_failed(apus_test *t, const char *message) {
    const char *found = apus_test_failure(t);
    int is_so = found && strstr(found, message);
    if (!is_so) fprintf(stderr, "migration_test: found '%s'\n", found ? found : "no failure");
    apus_test_close(t);
    return is_so;
}

static apus_test *opened(const char *const *words) {
    apus_test *t = apus_test_open(entry1, "all", "{}", NULL);
    for (; *words; words++) {
        apus_test_feed(t, *words, *words, 1);
        apus_test_add(t, (apus_test_record){{NULL, 0}, apus_test_bytes(*words), 1});
        apus_test_run_broadcast(t, 0);
    }
    return t;
}

static void test_forward(void) {
    apus_test *t = opened((const char *const[]){"a", "x", "b", NULL});
    apus_bytes value;
    apus_test_restart(t, entry2, NULL);
    EXPECT(apus_test_failure(t) == NULL);
    EXPECT(strcmp(last_entry, "2") == 0);  // the position of b, though x is gone
    EXPECT(apus_test_shared_count(t, "waiting-2") == 2);
    EXPECT(is_shared(t, "waiting-2", 0, "2a") && is_shared(t, "waiting-2", 1, "2b"));
    EXPECT(apus_test_shared_count(t, "rules-2") == 2 && apus_test_shared_count(t, "more") == 0);
    EXPECT(is_shared(t, "rules-2", 1, "2b") && is(apus_test_shared(t, "rules-2", 1).key, "b"));
    EXPECT(apus_test_value(t, "value-2", apus_test_bytes("a"), &value) && is(value, "2a"));
    EXPECT(!apus_test_value(t, "value-2", apus_test_bytes("x"), &value));
    EXPECT(apus_test_key_count(t, "value-2") == 2 && apus_test_key_count(t, "list-2") == 2);
    EXPECT(apus_test_entry_count(t, "list-2", apus_test_bytes("x")) == 0);
    apus_test_feed(t, "a", "2c", 2);
    EXPECT(apus_test_shared_count(t, "waiting-2") == 2 && apus_test_shared_count(t, "other") == 1);
    apus_test_close(t);
}

static void test_back(void) {
    apus_test *t = opened((const char *const[]){NULL});
    apus_test_restart(t, entry2, NULL);
    apus_test_add(t, (apus_test_record){{NULL, 0}, apus_test_bytes("2a"), 1});
    apus_test_run_broadcast(t, 0);  // goes to `more`, which version 1 has not
    apus_test_restart(t, entry1, NULL);
    EXPECT(apus_test_failure(t) == NULL && apus_test_shared_count(t, "rules") == 0);
    apus_test_close(t);

    t = opened((const char *const[]){"a", NULL});
    apus_test_restart(t, entry3, NULL);  // its operator state is gone
    apus_test_restart(t, entry2, NULL);
    EXPECT(apus_test_shared_count(t, "waiting-2") == 0 && is_shared(t, "rules-2", 0, "2a"));
    apus_test_restart(t, entry1, NULL);
    EXPECT(apus_test_failure(t) == NULL && is_shared(t, "rules", 0, "a"));
    apus_test_close(t);
}

static void test_refusals(void) {
    apus_test *t = opened((const char *const[]){"a", NULL});
    apus_test_restart(t, entry2, NULL);
    apus_test_restart(t, entry1, NULL);
    EXPECT(has_failed(t, "state 'waiting' has version 2, which version 1 cannot read"));
    t = opened((const char *const[]){"a", NULL});
    apus_test_restart(t, entry4, NULL);
    EXPECT(has_failed(t, "state 'waiting' changes its kind from 1 to 2"));
    t = apus_test_open(entry1, "all", "{}", NULL);
    apus_test_add(t, (apus_test_record){{NULL, 0}, apus_test_bytes("ok"), 1});
    apus_test_add(t, (apus_test_record){{NULL, 0}, apus_test_bytes("!"), 1});
    apus_test_run_broadcast(t, 0);
    apus_test_restart(t, entry2, NULL);
    EXPECT(has_failed(t, "state 'rules-2' of version 1: a '!'"));
}

int main(void) {
    test_forward();
    test_back();
    test_refusals();
    printf("migration_test: %d checks passed\n", checks);
    return 0;
}
