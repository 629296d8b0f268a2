#include "CApusMigration.h"

#include <cstdlib>
#include <cstring>

#include "guarded.h"

namespace {

int32_t write(apus_writer *writer, const void *bytes, uint64_t len) {
    auto *target = static_cast<apus_migrated *>(writer->host_private);
    if (len == 0) return APUS_OK;
    if (!bytes) return APUS_UNSUPPORTED;
    if (len > target->limit - target->len) return APUS_LIMIT;
    if (target->len + len > target->capacity) {
        uint64_t capacity = target->capacity ? 2 * target->capacity : 256;
        while (capacity < target->len + len) capacity *= 2;
        void *grown = realloc(target->data, capacity);
        if (!grown) return APUS_LIMIT;
        target->data = static_cast<uint8_t *>(grown);
        target->capacity = capacity;
    }
    memcpy(target->data + target->len, bytes, len);
    target->len += len;
    return APUS_OK;
}

apus_writer writer_to(apus_migrated *target) {
    target->len = 0;
    apus_writer writer = {};
    writer.size = sizeof writer;
    writer.write = write;
    writer.host_private = target;
    return writer;
}

}  // namespace

int32_t apus_guard_migrate(
    const apus_guard_site *site, apus_migrate migrate, const apus_migration *migration,
    apus_migrated *target, apus_error *error) {
    apus_writer writer = writer_to(target);
    return guarded_within(
        site, "migrate", error, [&] { return migrate(migration, &writer, error); });
}

int32_t apus_guard_migrate_timer(
    const apus_guard_site *site, apus_migrate_timer migrate, const apus_timer_migration *migration,
    apus_timer_target *plan, apus_migrated *target, apus_error *error) {
    apus_writer writer = writer_to(target);
    return guarded_within(
        site, "migrate (timer)", error, [&] { return migrate(migration, plan, &writer, error); });
}

void apus_migrated_free(apus_migrated *target) {
    free(target->data);
    *target = apus_migrated{};
}
