// folder: the lines of all files in a folder. Each file is a split; its position is the offset
// behind the last line that was given out.
//
// A file may grow, and may not be shortened. Files that are added while a job runs are read when it
// is started the next time.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "components.h"
#include "config.h"

#define CHUNK (256u << 10)
#define LINE_MAX_BYTES (16u << 20)

typedef struct split {
    char *path;
    int file;
    uint64_t offset;  // of the first byte that was not given out
    int is_done;
} split;

typedef struct folder {
    char path[CONFIG_TEXT];
    char suffix[64];
    int follows;
    split *splits;
    uint32_t count;
    uint32_t next;  // whose turn it is
    uint32_t buffer_size;
    char *buffer;
} folder;

static int32_t create(const apus_args *args, void **self, apus_error *error) {
    static const char *const keys[] = {"path", "suffix", "follow", NULL};
    config *settings = malloc(sizeof *settings);
    folder *f = calloc(1, sizeof *f);
    int32_t rc = APUS_OK;
    if (!settings || !f) rc = apus_fail(error, APUS_FATAL, "no memory");
    if (rc == APUS_OK) rc = config_read(settings, args->config, keys, error);
    if (rc == APUS_OK && !config_text(settings, "path")) {
        rc = apus_fail(error, APUS_CONFIG, "config: no 'path'; expected the folder to read");
    }
    if (rc == APUS_OK) {
        const char *suffix = config_text(settings, "suffix");
        snprintf(f->path, sizeof f->path, "%s", config_text(settings, "path"));
        snprintf(f->suffix, sizeof f->suffix, "%s", suffix ? suffix : "");
        f->follows = config_is_true(settings, "follow");
        f->buffer_size = CHUNK;
        f->buffer = malloc(f->buffer_size);
        if (!f->buffer) rc = apus_fail(error, APUS_FATAL, "no memory");
    }
    free(settings);
    if (rc != APUS_OK) {
        free(f);
        return rc;
    }
    *self = f;
    return APUS_OK;
}

static void destroy(void *self) {
    folder *f = self;
    for (uint32_t i = 0; i < f->count; i++) free(f->splits[i].path);
    free(f->splits);
    free(f->buffer);
    free(f);
}

// Whether an entry of the folder is a split.
static int is_split(const folder *f, const struct dirent *entry) {
    size_t n = strlen(entry->d_name), s = strlen(f->suffix);
    if (entry->d_name[0] == '.' || n < s || strcmp(entry->d_name + n - s, f->suffix)) return 0;
    char path[CONFIG_TEXT + 300];
    struct stat status;
    snprintf(path, sizeof path, "%s/%s", f->path, entry->d_name);
    return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

static int32_t list_splits(void *self, apus_writer *splits, apus_error *error) {
    folder *f = self;
    struct dirent **entries;
    int n = scandir(f->path, &entries, NULL, alphasort);
    if (n < 0) {
        return config_fail(
            error, APUS_FATAL, "cannot list %s: %s; expected a folder of files", f->path,
            strerror(errno));
    }
    int32_t rc = APUS_OK;
    for (int i = 0; i < n; i++) {
        if (rc == APUS_OK && is_split(f, entries[i])) {
            uint32_t len = (uint32_t)strlen(entries[i]->d_name);
            rc = splits->write(splits, &len, sizeof len);
            if (rc == APUS_OK) rc = splits->write(splits, entries[i]->d_name, len);
        }
        free(entries[i]);
    }
    free(entries);
    return rc;
}

// Goes on where the split was; a file that is shorter now is another one.
static int32_t resume(split *s, apus_bytes position, apus_error *error) {
    struct stat status;
    if (fstat(s->file, &status)) {
        return config_fail(error, APUS_FATAL, "%s: %s", s->path, strerror(errno));
    }
    if (!position.data) return APUS_OK;
    if (position.len != sizeof s->offset) {
        return config_fail(
            error, APUS_INCOMPATIBLE, "%s: its position has %" PRIu64 " bytes, expected 8",
            s->path, position.len);
    }
    memcpy(&s->offset, position.data, sizeof s->offset);
    if ((uint64_t)status.st_size >= s->offset) return APUS_OK;
    return config_fail(
        error, APUS_FATAL,
        "%s: %" PRIu64 " bytes of it were read, and it has %lld now: it was shortened or replaced",
        s->path, s->offset, (long long)status.st_size);
}

static int32_t open_splits(void *self, apus_ctx *ctx, const apus_split *splits, uint32_t count) {
    folder *f = self;
    f->splits = calloc(count ? count : 1, sizeof *f->splits);
    if (!f->splits) return apus_fail(ctx->error, APUS_FATAL, "no memory");
    for (uint32_t i = 0; i < count; i++) {
        split *s = &f->splits[i];
        size_t size = strlen(f->path) + splits[i].name.len + 2;
        s->path = malloc(size);
        if (!s->path) return apus_fail(ctx->error, APUS_FATAL, "no memory");
        snprintf(
            s->path, size, "%s/%.*s", f->path, (int)splits[i].name.len,
            (const char *)splits[i].name.data);
        s->file = open(s->path, O_RDONLY | O_CLOEXEC);
        f->count = i + 1;
        if (s->file < 0) {
            return config_fail(ctx->error, APUS_FATAL, "%s: %s", s->path, strerror(errno));
        }
        int32_t rc = resume(s, splits[i].position, ctx->error);
        if (rc != APUS_OK) return rc;
    }
    return APUS_OK;
}

static void close_splits(void *self, apus_ctx *ctx) {
    (void)ctx;
    folder *f = self;
    for (uint32_t i = 0; i < f->count; i++) {
        if (f->splits[i].file >= 0) close(f->splits[i].file);
        f->splits[i].file = -1;
    }
}

// Writes the lines that the buffer has, at most so many, and tells how many bytes they took.
static uint32_t emit_lines(
    apus_ctx *ctx, const char *bytes, uint32_t n, int is_end, uint32_t max_records) {
    apus_out *out = ctx->outs[0];
    uint32_t at = 0;
    for (uint32_t records = 0; records < max_records && at < n;) {
        const char *end = memchr(bytes + at, '\n', n - at);
        if (!end && !is_end) break;
        uint32_t len = end ? (uint32_t)(end - bytes) - at : n - at;
        if (len > 0) {
            if (apus_emit(out, NULL, 0, bytes + at, len, APUS_NO_TIME) != APUS_OK) break;
            records++;
        }
        at += len + (end ? 1 : 0);
    }
    return at;
}

// Reads a part of one split: APUS_OK when lines came of it, APUS_IDLE for none now, APUS_END.
static int32_t poll_split(folder *f, split *s, apus_ctx *ctx, uint32_t max_records) {
    for (;;) {
        ssize_t n = pread(s->file, f->buffer, f->buffer_size, (off_t)s->offset);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            // A disk may be back in a moment; the offset stands where it was.
            return config_fail(
                ctx->error, errno == EIO ? APUS_RETRY : APUS_FATAL, "%s: %s", s->path,
                strerror(errno));
        }
        int is_end = !f->follows && n < (ssize_t)f->buffer_size;
        uint32_t used = emit_lines(ctx, f->buffer, (uint32_t)n, is_end, max_records);
        s->offset += used;
        if (used > 0) return APUS_OK;
        if (n < (ssize_t)f->buffer_size) {
            s->is_done = !f->follows;
            return s->is_done ? APUS_END : APUS_IDLE;
        }
        // A line that is longer than the buffer.
        if (f->buffer_size >= LINE_MAX_BYTES) {
            return config_fail(
                ctx->error, APUS_FATAL, "%s: the line behind byte %" PRIu64 " is longer than %u",
                s->path, s->offset, LINE_MAX_BYTES);
        }
        char *larger = realloc(f->buffer, f->buffer_size * 2);
        if (!larger) return apus_fail(ctx->error, APUS_FATAL, "no memory");
        f->buffer = larger;
        f->buffer_size *= 2;
    }
}

static int32_t poll(void *self, apus_ctx *ctx, uint32_t max_records) {
    folder *f = self;
    uint32_t open_count = 0;
    // Each in turn, so that the splits stay near each other.
    for (uint32_t tried = 0; tried < f->count; tried++) {
        split *s = &f->splits[f->next];
        f->next = (f->next + 1) % f->count;
        if (s->is_done) continue;
        open_count++;
        int32_t rc = poll_split(f, s, ctx, max_records);
        if (rc != APUS_IDLE && rc != APUS_END) return rc;
        if (rc == APUS_END) open_count--;
    }
    return open_count > 0 ? APUS_IDLE : APUS_END;
}

static int32_t write_position(
    void *self, apus_ctx *ctx, uint32_t index, apus_writer *position) {
    (void)ctx;
    folder *f = self;
    uint64_t offset = f->splits[index].offset;
    return position->write(position, &offset, sizeof offset);
}

static const apus_source_vt functions = {
    .size = sizeof functions,
    .list_splits = list_splits,
    .open = open_splits,
    .close = close_splits,
    .poll = poll,
    .write_position = write_position};

static const apus_port main_port = {
    .size = sizeof main_port, .name = APUS_STR("main"), .summary = APUS_STR("the lines")};
static const apus_port *const outputs[] = {&main_port};

const apus_component folder_source = {
    .size = sizeof folder_source,
    .kind = APUS_SOURCE,
    .create = create,
    .destroy = destroy,
    .vt = &functions,
    .id = APUS_STR("folder"),
    .summary = APUS_STR("the lines of all files in a folder, in parallel"),
    .output_count = 1,
    .outputs = outputs};
