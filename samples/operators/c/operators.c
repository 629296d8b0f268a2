// The three operators as a plugin, and what they share.
#include "operators.h"

#include <stdio.h>

int find_field(const apus_batch *b, uint32_t i, uint32_t column, field *f) {
    const uint8_t *data;
    uint32_t len, start = 0;
    apus_value(b, i, &data, &len);
    for (uint32_t end = 0; end <= len; end++) {
        if (end < len && data[end] != ',') continue;
        if (column == 0) {
            f->data = (const char *)data + start;
            f->len = end - start;
            return 1;
        }
        column--;
        start = end + 1;
    }
    return 0;
}

field last_field(const apus_batch *b, uint32_t i) {
    const uint8_t *data;
    uint32_t len;
    apus_value(b, i, &data, &len);
    uint32_t start = len;
    while (start > 0 && data[start - 1] != ',') start--;
    field f = {(const char *)data + start, len - start};
    return f;
}

int read_number(field f, int64_t *number) {
    uint32_t at = f.len > 0 && f.data[0] == '-';
    if (f.len == at || f.len - at > 15) return 0;
    int64_t sum = 0;
    for (uint32_t i = at; i < f.len; i++) {
        if (f.data[i] < '0' || f.data[i] > '9') return 0;
        sum = sum * 10 + (f.data[i] - '0');
    }
    *number = at ? -sum : sum;
    return 1;
}

// A member `"name":number` at the beginning of the text; its length, or 0.
static uint32_t read_member(field text, const char *name, int64_t *number) {
    size_t len = strlen(name);
    if (text.len < len + 4 || text.data[0] != '"') return 0;
    if (memcmp(text.data + 1, name, len) || memcmp(text.data + 1 + len, "\":", 2)) return 0;
    uint32_t start = (uint32_t)len + 3, end = start;
    while (end < text.len && text.data[end] != ',' && text.data[end] != '}') end++;
    field digits = {text.data + start, end - start};
    return read_number(digits, number) ? end : 0;
}

int read_config(apus_bytes config, const char *const *names, int64_t *numbers, uint32_t count) {
    field rest = {(const char *)config.data, (uint32_t)config.len};
    uint32_t found = 0;
    for (uint32_t n = 0; n < count; n++) {
        if (rest.len == 0 || rest.data[0] != (n == 0 ? '{' : ',')) return 0;
        rest.data++;
        rest.len--;
        uint32_t taken = 0;
        for (uint32_t i = 0; i < count && !taken; i++) {
            if (found & (1u << i)) continue;
            taken = read_member(rest, names[i], &numbers[i]);
            if (taken) found |= 1u << i;
        }
        if (!taken) return 0;
        rest.data += taken;
        rest.len -= taken;
    }
    return rest.len == 1 && rest.data[0] == '}';
}

int32_t refuse_config(apus_error *error, apus_bytes config, const char *expected) {
    char message[400];
    int shown = config.len < 120 ? (int)config.len : 120;
    snprintf(message, sizeof message, "config is %.*s; expected %s", shown,
        (const char *)config.data, expected);
    return apus_fail(error, APUS_CONFIG, message);
}

int32_t stop_at(apus_ctx *ctx, uint32_t i, int32_t code) {
    ctx->at = i;
    if (code >= 0 || code == APUS_LIMIT) return APUS_YIELD;
    return apus_fail(ctx->error, code, "the host refused state or a timer");
}

static const apus_component *const components[] = {
    &filter_component, &sessions_component, &dedup_component};

static const apus_plugin plugin = {
    .size = sizeof plugin,
    .abi_minor = APUS_ABI_MINOR,
    .abi_minor_floor = 1,
    .id = APUS_STR("apus.samples.operators"),
    .version = APUS_STR("1.0.0"),
    .vendor = APUS_STR("Apus"),
    .component_count = 3,
    .components = components};

#ifdef APUS_PLUGIN_NOTE
APUS_PLUGIN_NOTE(APUS_LANGUAGE_C, 0);
#endif

APUS_EXPORT const apus_plugin *apus_plugin_v0(const apus_host *host, apus_error *error) {
    (void)host, (void)error;
    return &plugin;
}
