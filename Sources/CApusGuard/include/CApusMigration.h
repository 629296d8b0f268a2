// Calls of a plugin's migrate functions.
#ifndef CAPUS_MIGRATION_H
#define CAPUS_MIGRATION_H

#include "CApusGuard.h"

#ifdef __cplusplus
extern "C" {
#endif

// What a migrate function has written; used again and again, freed by apus_migrated_free.
typedef struct apus_migrated {
    uint8_t *data;
    uint64_t len;
    uint64_t capacity;
    uint64_t limit;  // the most bytes that may be written
} apus_migrated;

// Calls a migrate function; what it wrote is in the buffer. Its result, APUS_EXCEPTION or
// APUS_FATAL with the reason in the error. May be called while another callback waits for the host.
int32_t apus_guard_migrate(
    const apus_guard_site *, apus_migrate, const apus_migration *, apus_migrated *, apus_error *);
int32_t apus_guard_migrate_timer(
    const apus_guard_site *, apus_migrate_timer, const apus_timer_migration *, apus_timer_target *,
    apus_migrated *, apus_error *);
void apus_migrated_free(apus_migrated *);

#ifdef __cplusplus
}
#endif

#endif
