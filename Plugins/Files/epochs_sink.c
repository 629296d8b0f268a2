// epochs: a folder with a file of lines per epoch, exactly once.
//
// An epoch is written to `.writing`, synchronised, and renamed to `epoch-<20 digits>.txt`: the name
// is the marker, and it comes together with the content. What is left in `.writing` by a crash
// was not committed, and goes when the sink is opened. To commit an epoch again gives the same
// file.
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

typedef struct epochs {
    char path[CONFIG_TEXT];
    int folder;
    FILE *file;  // of the epoch in hand; NULL when nothing was written
} epochs;

static int32_t create(const apus_args *args, void **self, apus_error *error) {
    static const char *const keys[] = {"path", NULL};
    config *settings = malloc(sizeof *settings);
    epochs *e = calloc(1, sizeof *e);
    int32_t rc = APUS_OK;
    if (!settings || !e) rc = apus_fail(error, APUS_FATAL, "no memory");
    if (rc == APUS_OK) rc = config_read(settings, args->config, keys, error);
    if (rc == APUS_OK && !config_text(settings, "path")) {
        rc = apus_fail(error, APUS_CONFIG, "config: no 'path'; expected the folder to write to");
    }
    if (rc == APUS_OK) {
        snprintf(e->path, sizeof e->path, "%s", config_text(settings, "path"));
        e->folder = -1;
    }
    free(settings);
    if (rc != APUS_OK) {
        free(e);
        return rc;
    }
    *self = e;
    return APUS_OK;
}

static void destroy(void *self) { free(self); }

// What the system says, as an error; what room or patience can mend is to be tried again.
static int32_t fail(apus_ctx *ctx, const epochs *e, const char *what) {
    int is_passing = errno == ENOSPC || errno == EDQUOT || errno == EINTR || errno == ENFILE ||
        errno == EMFILE;
    return config_fail(
        ctx->error, is_passing ? APUS_RETRY : APUS_FATAL, "%s in %s: %s", what, e->path,
        strerror(errno));
}

static int32_t open_folder(void *self, apus_ctx *ctx, uint64_t *epoch) {
    epochs *e = self;
    if (mkdir(e->path, 0777) && errno != EEXIST) return fail(ctx, e, "cannot make the folder");
    e->folder = open(e->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (e->folder < 0) return fail(ctx, e, "cannot open the folder");
    if (unlinkat(e->folder, ".writing", 0) && errno != ENOENT) {
        return fail(ctx, e, "cannot remove .writing");
    }
    int copy = dup(e->folder);
    DIR *listing = copy < 0 ? NULL : fdopendir(copy);
    if (!listing) {
        if (copy >= 0) close(copy);
        return fail(ctx, e, "cannot list the folder");
    }
    const struct dirent *entry;
    while ((entry = readdir(listing))) {
        uint64_t number;
        int end = 0;
        if (sscanf(entry->d_name, "epoch-%20" SCNu64 ".txt%n", &number, &end) == 1 && end > 0 &&
            !entry->d_name[end] && number > *epoch) {
            *epoch = number;
        }
    }
    closedir(listing);
    return APUS_OK;
}

static void drop(epochs *e) {
    if (e->file) fclose(e->file);
    e->file = NULL;
    if (e->folder >= 0) unlinkat(e->folder, ".writing", 0);
}

static void close_folder(void *self, apus_ctx *ctx) {
    (void)ctx;
    epochs *e = self;
    drop(e);
    if (e->folder >= 0) close(e->folder);
    e->folder = -1;
}

static int32_t write_records(void *self, apus_ctx *ctx, const apus_batch *batch) {
    epochs *e = self;
    if (!e->file) {
        int file = openat(
            e->folder, ".writing", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        e->file = file < 0 ? NULL : fdopen(file, "w");
        if (!e->file) {
            if (file >= 0) close(file);
            return fail(ctx, e, "cannot create .writing");
        }
    }
    for (uint32_t i = ctx->at; i < batch->count; i++) {
        const uint8_t *value;
        uint32_t len;
        apus_value(batch, i, &value, &len);
        if (memchr(value, '\n', len)) {
            return apus_bad_record(ctx, i, "the value has a line feed, and a line cannot");
        }
        // What fails here shows at commit, where all of the epoch can be written again.
        fwrite(value, 1, len, e->file);
        fputc('\n', e->file);
    }
    return APUS_OK;
}

static int32_t commit(void *self, apus_ctx *ctx, uint64_t epoch) {
    epochs *e = self;
    char name[64];
    snprintf(name, sizeof name, "epoch-%020" PRIu64 ".txt", epoch);
    // Records may all have been refused.
    if (!e->file) return APUS_OK;
    errno = 0;
    int is_good = !ferror(e->file) && !fflush(e->file) && !fsync(fileno(e->file));
    if (!is_good) {
        int32_t rc = fail(ctx, e, "cannot write the epoch");
        drop(e);
        return rc;
    }
    int is_closed = !fclose(e->file);
    e->file = NULL;
    if (!is_closed || renameat(e->folder, ".writing", e->folder, name) || fsync(e->folder)) {
        return fail(ctx, e, "cannot commit the epoch");
    }
    ctx->counters[0]++;
    return APUS_OK;
}

static const apus_sink_vt functions = {
    .size = sizeof functions,
    .open = open_folder,
    .close = close_folder,
    .write = write_records,
    .commit = commit};

static const apus_counter_decl committed = {
    .size = sizeof committed,
    .name = APUS_STR("committed"),
    .summary = APUS_STR("epochs that were committed")};
static const apus_counter_decl *const counters[] = {&committed};

const apus_component epochs_sink = {
    .size = sizeof epochs_sink,
    .kind = APUS_SINK,
    .create = create,
    .destroy = destroy,
    .vt = &functions,
    .id = APUS_STR("epochs"),
    .summary = APUS_STR("a file of lines per epoch in a folder, exactly once"),
    .input_count = 1,
    .counter_count = 1,
    .counters = counters};
