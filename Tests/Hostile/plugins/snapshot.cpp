// Has private state that it saves badly.
#include "base.h"

namespace {

int32_t misbehave(Call &) {
    return APUS_OK;
}

int32_t save(void *, apus_ctx *, apus_writer *writer) {
#if defined(SNAPSHOT_ENDLESS)
    // Ten GiB, whatever the host says to it.
    static const std::string megabyte(1u << 20, 'x');
    for (int n = 0; n < 10 * 1024; n++) writer->write(writer, megabyte.data(), megabyte.size());
    return APUS_OK;
#elif defined(SNAPSHOT_THROWS)
    throw std::string("cannot save");
#else
    (void)writer;
    return APUS_OK;  // nothing at all
#endif
}

int32_t load(void *, apus_ctx *ctx, apus_reader *reader, uint32_t) {
    char bytes[16];
    uint64_t count = 1;
    int32_t rc = reader->read(reader, bytes, sizeof bytes, &count);
    if (rc != APUS_OK) return rc;
    return count == 0 ? APUS_OK : apus_fail(ctx->error, APUS_FATAL, "found what nobody wrote");
}

const apus_snapshot snapshot = {sizeof snapshot, 1, save, load};

const void *get_extension(const char *name) {
    return strcmp(name, APUS_SNAPSHOT) == 0 ? &snapshot : nullptr;
}

void add_snapshot() {
    component.get_extension = get_extension;
    (void)&misbehave;
}
[[maybe_unused]] const bool is_changed = (add_snapshot(), true);

}  // namespace
