// append: a file of lines per subtask in a folder, at least once: `<subtask>.txt`.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "components.h"
#include "config.h"

typedef struct append {
    char path[CONFIG_TEXT + 32];
    FILE *file;
} append;

static int32_t create(const apus_args *args, void **self, apus_error *error) {
    static const char *const keys[] = {"path", NULL};
    config *settings = malloc(sizeof *settings);
    append *a = calloc(1, sizeof *a);
    int32_t rc = APUS_OK;
    if (!settings || !a) rc = apus_fail(error, APUS_FATAL, "no memory");
    if (rc == APUS_OK) rc = config_read(settings, args->config, keys, error);
    if (rc == APUS_OK && !config_text(settings, "path")) {
        rc = apus_fail(error, APUS_CONFIG, "config: no 'path'; expected the folder to write to");
    }
    if (rc == APUS_OK) {
        const char *path = config_text(settings, "path");
        if (mkdir(path, 0777) && errno != EEXIST) {
            rc = config_fail(error, APUS_CONFIG, "config: path %s: %s", path, strerror(errno));
        }
        snprintf(a->path, sizeof a->path, "%s/%u.txt", path, args->subtask);
    }
    free(settings);
    if (rc != APUS_OK) {
        free(a);
        return rc;
    }
    *self = a;
    return APUS_OK;
}

static void destroy(void *self) { free(self); }

static int32_t fail(apus_ctx *ctx, const append *a) {
    return config_fail(ctx->error, APUS_FATAL, "%s: %s", a->path, strerror(errno));
}

static int32_t open_file(void *self, apus_ctx *ctx, uint64_t *epoch) {
    (void)epoch;
    append *a = self;
    a->file = fopen(a->path, "ae");
    return a->file ? APUS_OK : fail(ctx, a);
}

static void close_file(void *self, apus_ctx *ctx) {
    (void)ctx;
    append *a = self;
    if (a->file) fclose(a->file);
    a->file = NULL;
}

static int32_t write_records(void *self, apus_ctx *ctx, const apus_batch *batch) {
    append *a = self;
    for (uint32_t i = ctx->at; i < batch->count; i++) {
        const uint8_t *value;
        uint32_t len;
        apus_value(batch, i, &value, &len);
        if (fwrite(value, 1, len, a->file) != len || fputc('\n', a->file) == EOF) {
            return fail(ctx, a);
        }
    }
    return APUS_OK;
}

static int32_t flush(void *self, apus_ctx *ctx) {
    append *a = self;
    return fflush(a->file) ? fail(ctx, a) : APUS_OK;
}

static const apus_sink_vt functions = {
    .size = sizeof functions,
    .open = open_file,
    .close = close_file,
    .write = write_records,
    .flush = flush};

const apus_component append_sink = {
    .size = sizeof append_sink,
    .kind = APUS_SINK,
    .create = create,
    .destroy = destroy,
    .vt = &functions,
    .id = APUS_STR("append"),
    .summary = APUS_STR("a file of lines per subtask in a folder, at least once"),
    .input_count = 1};
