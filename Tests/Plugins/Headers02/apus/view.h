// The 16-byte slice of a record's key or value.
//
//   len <= 12    the bytes are in place, the rest of the 12 is zero
//   len  > 12    the first 4 bytes as a prefix, then buffer number and offset
//
// This is the layout of Arrow's BinaryView. Why: docs/decisions/2026-11-23-slice-layout.md.
#ifndef APUS_VIEW_H
#define APUS_VIEW_H

#include <string.h>

#include "apus/abi.h"

#define APUS_VIEW_INLINE 12

typedef struct apus_view_reference {
    uint8_t prefix[4];
    uint32_t buffer;
    uint32_t offset;
} apus_view_reference;

typedef struct apus_view {
    uint32_t len;
    union {
        uint8_t bytes[APUS_VIEW_INLINE];
        apus_view_reference ref;
    } u;
} apus_view;

// The bytes of a view; v->len of them. Points into *v or into a buffer of the batch. [any]
static inline const uint8_t *apus_view_data(const apus_view *v, const uint8_t *const *buffers) {
    return v->len <= APUS_VIEW_INLINE ? v->u.bytes : buffers[v->u.ref.buffer] + v->u.ref.offset;
}

// Makes *v an in-place view of n <= 12 bytes. [any]
static inline void apus_view_inline(apus_view *v, const void *bytes, uint32_t n) {
    v->len = n;
    if (n == 8) {  // the commonest size: one store, no call
        memcpy(v->u.bytes, bytes, 8);
        memset(v->u.bytes + 8, 0, 4);
        return;
    }
    memset(v->u.bytes, 0, APUS_VIEW_INLINE);
    if (n) memcpy(v->u.bytes, bytes, n);
}

#endif
