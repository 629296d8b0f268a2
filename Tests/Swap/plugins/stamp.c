// Writes which version it is into each record that passes: {"n":1} becomes {"NAME":V,"n":1}.
//
//   -DV=1|2   the version
//   -DFAULT_CREATE_FAILS   it cannot be made
#include <stdio.h>
#include <stdlib.h>

#include "apus/apus.h"

APUS_PLUGIN_NOTE(APUS_LANGUAGE_C, 0);

typedef struct instance {
    char name[32];
} instance;

static int32_t create(const apus_args *args, void **self, apus_error *error) {
#ifdef FAULT_CREATE_FAILS
    return apus_fail(error, APUS_CONFIG, "this version does not want to be made");
#endif
    instance *made = calloc(1, sizeof *made);
    if (!made) return apus_fail(error, APUS_FATAL, "no memory");
    snprintf(made->name, sizeof made->name, "%.*s", (int)args->operator_id.len,
             args->operator_id.data);
    *self = made;
    return APUS_OK;
}

static void destroy(void *self) { free(self); }

static int32_t process(void *self, apus_ctx *ctx, const apus_batch *batch) {
    instance *own = self;
    for (uint32_t i = ctx->at; i < batch->count; i++) {
        if (apus_out_room(ctx->outs[0], 320)) return apus_at(ctx, i, APUS_YIELD);
        const uint8_t *value;
        uint32_t len;
        apus_value(batch, i, &value, &len);
        if (len < 2 || len > 256) return apus_bad_record(ctx, i, "not an object, or too long");
        char text[320];
        int n = snprintf(text, sizeof text, "{\"%s\":%d,%.*s", own->name, V * 10, (int)len - 1,
                         (const char *)value + 1);
        apus_emit_keyed(ctx->outs[0], batch, i, text, (uint32_t)n);
    }
    return APUS_OK;
}

static const apus_port main_port = {.size = sizeof(apus_port), .name = APUS_STR("main")};
static const apus_port *const outputs[] = {&main_port};
static const apus_operator_vt functions = {.size = sizeof(apus_operator_vt), .process = process};
static const apus_component stamp = {
    .size = sizeof(apus_component), .kind = APUS_OPERATOR, .create = create, .destroy = destroy,
    .vt = &functions, .id = APUS_STR("stamp"), .flags = APUS_KEYED, .input_count = 2,
    .output_count = 1, .outputs = outputs};
static const apus_component *const components[] = {&stamp};
static const apus_plugin plugin = {
    .size = sizeof(apus_plugin), .abi_minor = APUS_ABI_MINOR,
    .abi_minor_floor = APUS_ABI_MINOR_FLOOR, .id = APUS_STR("test.stamp"),
#if V > 1
    .version = APUS_STR("2.0.0"),
#else
    .version = APUS_STR("1.0.0"),
#endif
    .vendor = APUS_STR("Nobody"), .component_count = 1, .components = components};

APUS_EXPORT const apus_plugin *apus_plugin_v0(const apus_host *host, apus_error *error) {
    (void)host, (void)error;
    return &plugin;
}
