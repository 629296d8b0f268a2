#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

typedef struct cursor {
    const char *at;
    const char *end;
} cursor;

static void skip_blanks(cursor *c) {
    while (c->at < c->end && strchr(" \t\r\n", *c->at)) c->at++;
}

static int take(cursor *c, char wanted) {
    skip_blanks(c);
    if (c->at == c->end || *c->at != wanted) return 0;
    c->at++;
    return 1;
}

// A JSON string; of escapes only those of one character. Returns 0 when it is none, or too long.
static int take_string(cursor *c, char *into, size_t size) {
    if (!take(c, '"')) return 0;
    size_t n = 0;
    while (c->at < c->end && *c->at != '"') {
        char byte = *c->at++;
        if (byte == '\\') {
            if (c->at == c->end) return 0;
            byte = *c->at++;
            if (byte == 'n') byte = '\n';
            else if (byte == 't') byte = '\t';
            else if (byte != '"' && byte != '\\' && byte != '/') return 0;
        }
        if (n + 1 >= size) return 0;
        into[n++] = byte;
    }
    if (c->at == c->end) return 0;
    c->at++;
    into[n] = 0;
    return 1;
}

static int take_word(cursor *c, const char *word) {
    size_t n = strlen(word);
    if ((size_t)(c->end - c->at) < n || memcmp(c->at, word, n)) return 0;
    c->at += n;
    return 1;
}

static int take_value(cursor *c, config_entry *entry) {
    skip_blanks(c);
    entry->is_text = c->at < c->end && *c->at == '"';
    if (entry->is_text) return take_string(c, entry->text, sizeof entry->text);
    const char *const words[] = {"true", "false"};
    for (int i = 0; i < 2; i++) {
        if (take_word(c, words[i])) {
            strcpy(entry->text, words[i]);
            return 1;
        }
    }
    return 0;
}

int32_t config_fail(apus_error *error, int32_t code, const char *format, ...) {
    char text[480];
    va_list values;
    va_start(values, format);
    vsnprintf(text, sizeof text, format, values);
    va_end(values);
    return apus_fail(error, code, text);
}

int32_t config_read(
    config *into, apus_bytes json, const char *const *keys, apus_error *error) {
    cursor c = {(const char *)json.data, (const char *)json.data + json.len};
    into->count = 0;
    if (!take(&c, '{')) return apus_fail(error, APUS_CONFIG, "config: expected an object");
    if (take(&c, '}')) return APUS_OK;
    do {
        if (into->count == CONFIG_ENTRIES) {
            return apus_fail(error, APUS_CONFIG, "config: too many keys");
        }
        config_entry *entry = &into->entries[into->count];
        if (!take_string(&c, entry->key, sizeof entry->key) || !take(&c, ':')) {
            return apus_fail(error, APUS_CONFIG, "config: expected keys and values");
        }
        int is_known = 0;
        for (const char *const *key = keys; *key; key++) is_known |= !strcmp(*key, entry->key);
        if (!is_known) {
            char list[256] = "";
            for (const char *const *key = keys; *key; key++) {
                strncat(list, key == keys ? "" : ", ", sizeof list - strlen(list) - 1);
                strncat(list, *key, sizeof list - strlen(list) - 1);
            }
            return config_fail(
                error, APUS_CONFIG, "config: unknown key '%s'; expected %s", entry->key, list);
        }
        if (!take_value(&c, entry)) {
            return config_fail(
                error, APUS_CONFIG, "config: '%s' is neither a text nor true or false",
                entry->key);
        }
        into->count++;
    } while (take(&c, ','));
    if (!take(&c, '}')) return apus_fail(error, APUS_CONFIG, "config: expected '}'");
    return APUS_OK;
}

static const config_entry *find(const config *from, const char *key) {
    for (int i = 0; i < from->count; i++) {
        if (!strcmp(from->entries[i].key, key)) return &from->entries[i];
    }
    return NULL;
}

const char *config_text(const config *from, const char *key) {
    const config_entry *entry = find(from, key);
    return entry && entry->is_text && entry->text[0] ? entry->text : NULL;
}

int config_is_true(const config *from, const char *key) {
    const config_entry *entry = find(from, key);
    return entry && !entry->is_text && !strcmp(entry->text, "true");
}
