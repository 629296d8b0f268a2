// Memory of the test host: blocks of bytes, kept records, and its one way to fail.
#include <stdio.h>
#include <stdlib.h>

#include "internal.h"

static void *must(void *memory) {
    if (!memory) {
        fputs("apus test: no memory\n", stderr);
        abort();
    }
    return memory;
}

// A copy; zeros when there is nothing to copy.
block block_of(const void *data, uint64_t len) {
    block b = {must(malloc(len + 1)), len};
    if (data && len) memcpy(b.data, data, len);
    else memset(b.data, 0, len);
    b.data[len] = 0;
    return b;
}

void block_free(block *b) {
    free(b->data);
    b->data = NULL;
    b->len = 0;
}

// The new bytes may lie in the old ones. What pointed at the old ones is dangling afterwards, as
// the lifetime rule says, and a sanitizer finds who uses it.
void block_replace(block *b, const void *data, uint64_t len) {
    block old = *b;
    *b = block_of(data, len);
    block_free(&old);
}

int block_is(const block *b, const void *data, uint64_t len) {
    return b->len == len && (len == 0 || memcmp(b->data, data, len) == 0);
}

void *grown(void *memory, uint64_t count, uint64_t *capacity, uint64_t size) {
    if (count < *capacity) return memory;
    *capacity = *capacity ? *capacity * 2 : 16;
    return must(realloc(memory, *capacity * size));
}

kept *kept_add(kept_list *list) {
    list->at = grown(list->at, list->count, &list->capacity, sizeof *list->at);
    kept *k = &list->at[list->count++];
    memset(k, 0, sizeof *k);
    return k;
}

void kept_clear(kept_list *list) {
    for (uint64_t i = 0; i < list->count; i++) {
        block_free(&list->at[i].key);
        block_free(&list->at[i].value);
    }
    free(list->at);
    memset(list, 0, sizeof *list);
}

apus_test_record kept_record(const kept *k) {
    apus_test_record r = {{NULL, 0}, {NULL, 0}, k->ts};
    if (k->has_key) r.key = (apus_bytes){k->key.data, k->key.len};
    if (k->has_value) r.value = (apus_bytes){k->value.data, k->value.len};
    return r;
}

int is_text(apus_str s, const char *text) {
    return s.len == strlen(text) && memcmp(s.data, text, s.len) == 0;
}

// The first failure counts: what comes after it may follow from it.
void fail(apus_test *t, int32_t code, const char *format, ...) {
    if (t->has_failed) return;
    t->has_failed = 1;
    t->failure_code = code;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(t->failure, sizeof t->failure, format, arguments);
    va_end(arguments);
}
