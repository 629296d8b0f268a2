// State that is not filed under keys: two operators.
//
//   -DV=1|2     the schema of all state
//   -DCODE=n    what lines say wrote them; V * 10 unless given
//
//   counted  not keyed; how many records there were is an item of the operator state, the sum of
//            their numbers is in the private snapshot. Emits both for each record.
//   ruled    keyed, one broadcast input with rules {"rule": n}; emits, for each record, how many
//            rules there are and their sum.
#include <stdio.h>
#include <stdlib.h>

#include "apus/apus.h"

APUS_PLUGIN_NOTE(APUS_LANGUAGE_C, 0);

#ifndef CODE
#define CODE (V * 10)
#endif
#define SCALE (V == 1 ? 1 : 10)

typedef struct instance {
    int64_t sum;
    uint32_t subtask;
} instance;

static int32_t create(const apus_args *args, void **self, apus_error *error) {
    instance *made = calloc(1, sizeof *made);
    if (!made) return apus_fail(error, APUS_FATAL, "no memory");
    made->subtask = args->subtask;
    *self = made;
    return APUS_OK;
}

static void destroy(void *self) { free(self); }

static int64_t number_in(const apus_batch *batch, uint32_t i, const char *name) {
    const uint8_t *value;
    uint32_t len;
    apus_value(batch, i, &value, &len);
    char text[129];
    if (len >= sizeof text) return 0;
    memcpy(text, value, len);
    text[len] = 0;
    char *at = strstr(text, name);
    return at ? strtoll(at + strlen(name), NULL, 10) : 0;
}

static int32_t migrate(const apus_migration *from, apus_writer *writer, apus_error *error) {
    int64_t number;
    if (from->value.len != 8) return apus_fail(error, APUS_INCOMPATIBLE, "expected 8 bytes");
    memcpy(&number, from->value.data, 8);
    number *= 10;
    return writer->write(writer, &number, 8);
}

// MARK: counted

static int32_t count(void *self, apus_ctx *ctx, const apus_batch *batch) {
    instance *own = self;
    for (uint32_t i = ctx->at; i < batch->count; i++) {
        if (apus_out_room(ctx->outs[0], 160)) return apus_at(ctx, i, APUS_YIELD);
        int64_t seen = 0;
        apus_bytes item;
        int32_t rc = ctx->operator_state->get(ctx, 0, 0, &item);
        if (rc == APUS_OK) memcpy(&seen, item.data, 8);
        seen += SCALE;
        rc = rc == APUS_OK ? ctx->operator_state->set(ctx, 0, 0, &seen, 8)
                           : ctx->operator_state->append(ctx, 0, &seen, 8);
        if (rc != APUS_OK) return apus_at(ctx, i, rc);
        if (seen % SCALE) return apus_fail(ctx->error, APUS_FATAL, "an item of another version");
        int64_t n = number_in(batch, i, "\"n\":");
        own->sum += n;
        char text[160];
        int len = snprintf(
            text, sizeof text, "{\"n\":%lld,\"c\":%lld,\"s\":%lld,\"u\":%u,\"v\":%d}",
            (long long)n, (long long)(seen / SCALE), (long long)own->sum, own->subtask, CODE);
        apus_emit_keyed(ctx->outs[0], batch, i, text, (uint32_t)len);
    }
    return APUS_OK;
}

static int32_t save(void *self, apus_ctx *ctx, apus_writer *writer) {
    (void)ctx;
    instance *own = self;
    int64_t stored = own->sum * SCALE;
    return writer->write(writer, &stored, 8);
}

static int32_t load(void *self, apus_ctx *ctx, apus_reader *reader, uint32_t version) {
    instance *own = self;
    int64_t stored;
    uint64_t got;
    for (;;) {
        int32_t rc = reader->read(reader, &stored, 8, &got);
        if (rc != APUS_OK) return rc;
        if (got == 0) return APUS_OK;
        if (got != 8 || version > V) {
            return apus_fail(ctx->error, APUS_INCOMPATIBLE, "a snapshot that cannot be read");
        }
        own->sum += version == 1 ? stored : stored / 10;
    }
}

static const apus_snapshot snapshot = {
    .size = sizeof(apus_snapshot), .version = V, .save = save, .load = load};

static const void *get_extension(const char *name) {
    return strcmp(name, APUS_SNAPSHOT) ? NULL : &snapshot;
}

static const apus_operator_state_decl seen_state = {
    .size = sizeof(apus_operator_state_decl), .redistribution = APUS_SPLIT,
    .name = APUS_STR("seen"), .schema_version = V,
#if V > 1
    .min_readable = 1, .migrate = migrate,
#endif
};
static const apus_operator_state_decl *const operator_states[] = {&seen_state};

// MARK: ruled

static int32_t take_rules(void *self, apus_ctx *ctx, const apus_batch *batch) {
    (void)self;
    for (uint32_t i = ctx->at; i < batch->count; i++) {
        int64_t rule = number_in(batch, i, "\"rule\":");
        int64_t stored = rule * SCALE;
        int32_t rc = ctx->broadcast->put(ctx, 0, &rule, 8, &stored, 8);
        if (rc != APUS_OK) return apus_at(ctx, i, rc);
    }
    return APUS_OK;
}

static int32_t apply_rules(void *self, apus_ctx *ctx, const apus_batch *batch) {
    (void)self;
    for (uint32_t i = ctx->at; i < batch->count; i++) {
        if (apus_out_room(ctx->outs[0], 160)) return apus_at(ctx, i, APUS_YIELD);
        apus_cursor cursor = apus_cursor_all();
        apus_entry entries[16];
        uint32_t got = 0;
        int64_t sum = 0, rules = 0;
        for (;;) {
            int32_t rc = ctx->broadcast->next(ctx, 0, &cursor, entries, 16, &got);
            if (rc == APUS_NOT_FOUND) break;
            if (rc != APUS_OK) return apus_at(ctx, i, rc);
            if (got == 0) break;
            for (uint32_t j = 0; j < got; j++) {
                int64_t stored;
                memcpy(&stored, entries[j].value.data, 8);
                sum += stored;
                rules++;
            }
        }
        if (sum % SCALE) return apus_fail(ctx->error, APUS_FATAL, "a rule of another version");
        int64_t sequence;
        int32_t rc = ctx->state->counter_add(ctx, 0, i, 1, &sequence);
        if (rc != APUS_OK) return apus_at(ctx, i, rc);
        const uint8_t *key;
        uint32_t key_len;
        apus_key(batch, i, &key, &key_len);
        char text[192];
        int len = snprintf(
            text, sizeof text, "{\"k\":\"%.*s\",\"n\":%lld,\"c\":%lld,\"rules\":%lld,\"s\":%lld,"
            "\"v\":%d}", (int)key_len, (const char *)key, (long long)number_in(batch, i, "\"n\":"),
            (long long)sequence, (long long)rules, (long long)(sum / SCALE), CODE);
        apus_emit_keyed(ctx->outs[0], batch, i, text, (uint32_t)len);
    }
    return APUS_OK;
}

static const apus_state_decl rules_state = {
    .size = sizeof(apus_state_decl), .kind = APUS_STATE_BROADCAST, .name = APUS_STR("rules"),
    .schema_version = V,
#if V > 1
    .min_readable = 1, .migrate = migrate,
#endif
};
static const apus_state_decl *const broadcasts[] = {&rules_state};
static const apus_state_decl sequence_state = {
    .size = sizeof(apus_state_decl), .kind = APUS_STATE_COUNTER, .name = APUS_STR("sequence"),
    .schema_version = 1};
static const apus_state_decl *const states[] = {&sequence_state};

// MARK: Description

static const apus_port main_port = {.size = sizeof(apus_port), .name = APUS_STR("main")};
static const apus_port *const outputs[] = {&main_port};
static const apus_operator_vt count_functions = {
    .size = sizeof(apus_operator_vt), .process = count};
static const apus_component counted = {
    .size = sizeof(apus_component), .kind = APUS_OPERATOR, .create = create, .destroy = destroy,
    .vt = &count_functions, .id = APUS_STR("counted"), .input_count = 1, .output_count = 1,
    .outputs = outputs, .operator_state_count = 1, .operator_states = operator_states,
    .get_extension = get_extension};
static const apus_operator_vt rule_functions = {
    .size = sizeof(apus_operator_vt), .process = apply_rules, .process_broadcast = take_rules};
static const apus_component ruled = {
    .size = sizeof(apus_component), .kind = APUS_OPERATOR, .create = create, .destroy = destroy,
    .vt = &rule_functions, .id = APUS_STR("ruled"), .flags = APUS_KEYED, .input_count = 1,
    .output_count = 1, .outputs = outputs, .state_count = 1, .states = states,
    .broadcast_input_count = 1, .broadcast_count = 1, .broadcasts = broadcasts};
static const apus_component *const components[] = {&counted, &ruled};
static const apus_plugin plugin = {
    .size = sizeof(apus_plugin), .abi_minor = APUS_ABI_MINOR,
    .abi_minor_floor = APUS_ABI_MINOR_FLOOR, .id = APUS_STR("test.unkeyed"),
#if V > 1
    .version = APUS_STR("2.0.0"),
#else
    .version = APUS_STR("1.0.0"),
#endif
    .vendor = APUS_STR("Nobody"), .component_count = 2, .components = components};

APUS_EXPORT const apus_plugin *apus_plugin_v0(const apus_host *host, apus_error *error) {
    (void)host, (void)error;
    (void)migrate;
    return &plugin;
}
