// Passes lines on whose number in a column is large enough; without state.
#include <stdio.h>
#include <stdlib.h>

#include "operators.h"

enum { KEPT, DROPPED };  // counters

typedef struct filter {
    uint32_t column;
    int64_t minimum;
} filter;

static int32_t create(const apus_args *args, void **self, apus_error *error) {
    static const char *const names[] = {"column", "minimum"};
    int64_t numbers[2];
    if (!read_config(args->config, names, numbers, 2) || numbers[0] < 0 || numbers[0] > 999) {
        return refuse_config(error, args->config,
            "column, 0 to 999, and minimum, both whole numbers, and nothing else");
    }
    filter *f = malloc(sizeof *f);
    if (!f) return apus_fail(error, APUS_FATAL, "no memory");
    f->column = (uint32_t)numbers[0];
    f->minimum = numbers[1];
    *self = f;
    return APUS_OK;
}

static void destroy(void *self) {
    free(self);
}

static int32_t bad(apus_ctx *ctx, uint32_t i, uint32_t column, const char *why) {
    char reason[80];
    snprintf(reason, sizeof reason, "column %u %s", column, why);
    return apus_bad_record(ctx, i, reason);
}

static int32_t process(void *self, apus_ctx *ctx, const apus_batch *b) {
    const filter *f = self;
    for (uint32_t i = ctx->at; i < b->count; i++) {
        field text;
        int64_t number;
        if (!find_field(b, i, f->column, &text)) return bad(ctx, i, f->column, "is missing");
        if (!read_number(text, &number)) return bad(ctx, i, f->column, "is not a whole number");
        if (number >= f->minimum) {
            int32_t rc = apus_forward(ctx->outs[0], b, i);
            if (rc != APUS_OK) return stop_at(ctx, i, rc);
        }
        ctx->counters[number >= f->minimum ? KEPT : DROPPED]++;
    }
    return APUS_OK;
}

static const apus_port main_port = {
    .size = sizeof main_port,
    .name = APUS_STR("main"),
    .summary = APUS_STR("lines that are large enough")};
static const apus_port *const outputs[] = {&main_port};

static const apus_counter_decl kept_counter = {
    .size = sizeof kept_counter, .name = APUS_STR("kept"), .summary = APUS_STR("passed on")};
static const apus_counter_decl dropped_counter = {
    .size = sizeof dropped_counter, .name = APUS_STR("dropped"), .summary = APUS_STR("too small")};
static const apus_counter_decl *const counters[] = {&kept_counter, &dropped_counter};

static const apus_operator_vt functions = {.size = sizeof functions, .process = process};

const apus_component filter_component = {
    .size = sizeof filter_component,
    .kind = APUS_OPERATOR,
    .create = create,
    .destroy = destroy,
    .vt = &functions,
    .id = APUS_STR("filter"),
    .summary = APUS_STR("passes lines on whose number is large enough"),
    .input_count = 1,
    .output_count = 1,
    .outputs = outputs,
    .counter_count = 2,
    .counters = counters};
