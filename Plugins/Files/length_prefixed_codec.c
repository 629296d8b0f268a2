// length-prefixed: frames of 4 bytes, big-endian, that tell how many bytes follow; those are the
// value of a record.
#include <string.h>

#include "components.h"
#include "config.h"

#define HEAD 4u
#define FRAME_MAX (16u << 20)

static int32_t create(const apus_args *args, void **self, apus_error *error) {
    static const char *const keys[] = {NULL};
    config settings;
    *self = NULL;
    return config_read(&settings, args->config, keys, error);
}

static void destroy(void *self) { (void)self; }

static uint32_t length_at(const uint8_t *bytes) {
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static int32_t split(void *self, apus_ctx *ctx, apus_framing *framing) {
    (void)self;
    uint64_t at = 0;
    while (framing->count < framing->capacity && framing->bytes.len - at >= HEAD) {
        uint32_t len = length_at(framing->bytes.data + at);
        if (len > FRAME_MAX) {
            return config_fail(
                ctx->error, APUS_RECORD, "a frame of %u bytes; expected at most %u", len,
                FRAME_MAX);
        }
        if (framing->bytes.len - at - HEAD < len) break;
        framing->frames[framing->count++] = (apus_frame){at + HEAD, len};
        at += HEAD + len;
    }
    framing->used = at;
    return APUS_OK;
}

static int32_t decode(void *self, apus_ctx *ctx, const apus_batch *frames) {
    (void)self;
    for (uint32_t i = ctx->at; i < frames->count; i++) {
        if (apus_forward(ctx->outs[0], frames, i)) return apus_at(ctx, i, APUS_YIELD);
    }
    return APUS_OK;
}

static int32_t encode(
    void *self, apus_ctx *ctx, const apus_batch *batch, uint32_t i, apus_writer *writer) {
    (void)self;
    const uint8_t *value;
    uint32_t len;
    apus_value(batch, i, &value, &len);
    if (len > FRAME_MAX) return apus_bad_record(ctx, i, "the value is longer than 16 MiB");
    const uint8_t head[HEAD] = {
        (uint8_t)(len >> 24), (uint8_t)(len >> 16), (uint8_t)(len >> 8), (uint8_t)len};
    int32_t rc = writer->write(writer, head, HEAD);
    return rc == APUS_OK ? writer->write(writer, value, len) : rc;
}

static const apus_codec_vt functions = {
    .size = sizeof functions, .decode = decode, .encode = encode, .split = split};

static const apus_port main_port = {
    .size = sizeof main_port, .name = APUS_STR("main"), .summary = APUS_STR("the values")};
static const apus_port *const outputs[] = {&main_port};

const apus_component length_prefixed_codec = {
    .size = sizeof length_prefixed_codec,
    .kind = APUS_CODEC,
    .create = create,
    .destroy = destroy,
    .vt = &functions,
    .id = APUS_STR("length-prefixed"),
    .summary = APUS_STR("values with their length in 4 bytes before them"),
    .input_count = 1,
    .output_count = 1,
    .outputs = outputs};
