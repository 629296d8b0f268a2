// The configuration of a component: a flat JSON object of texts and truths.
#ifndef FILES_CONFIG_H
#define FILES_CONFIG_H

#include "apus/apus.h"

#define CONFIG_ENTRIES 8
#define CONFIG_TEXT 4096

typedef struct config_entry {
    char key[32];
    char text[CONFIG_TEXT];  // of a truth "true" or "false"
    int is_text;
} config_entry;

typedef struct config {
    config_entry entries[CONFIG_ENTRIES];
    int count;
} config;

// Reads a configuration whose keys are among `keys`, which ends with NULL. Returns APUS_OK, or
// APUS_CONFIG with what is wrong in the error.
int32_t config_read(
    config *into, apus_bytes json, const char *const *keys, apus_error *error);

// The text of a key; NULL when it is missing or no text.
const char *config_text(const config *from, const char *key);

// Whether a key is true.
int config_is_true(const config *from, const char *key);

// Reports a mistake with a printf format.
int32_t config_fail(apus_error *error, int32_t code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
