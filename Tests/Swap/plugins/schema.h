// What the bytes of the subject's state mean in each version of its schema.
//
// Every value stands for one number. A version writes it in its own way, so that bytes that are
// read as those of another version give a wrong number, or none.
#pragma once

#include <stdio.h>
#include <stdlib.h>

#include "apus/apus.h"

enum { SEQUENCE, SUM, LAST, LOG, SEEN };

// Event time from a record to its timer, and by how much each version puts it off.
#define DELAY_US 2000000ll
#define PUT_OFF_US 300000ll

static inline int64_t scale_of(uint32_t version) {
    return version == 1 ? 1 : version == 2 ? 10 : 100;
}

static inline int64_t put_off(uint32_t version) { return (version - 1) * PUT_OFF_US; }

// Writes a number; returns how many bytes it takes, at most 32.
static inline uint32_t encode(uint32_t slot, uint32_t version, int64_t number, uint8_t *to) {
    static const char *const texts[][3] = {
        [LAST] = {"%lld", "n=%lld", "<%lld>"},
        [LOG] = {"%lld", NULL, "i%lld"},
        [SEEN] = {NULL, "%lld", "c=%lld"},
    };
    if (slot == SEQUENCE) {
        int64_t scaled = number * scale_of(version);
        memcpy(to, &scaled, 8);
        return 8;
    }
    if (slot == SUM) {
        int64_t words[3] = {number, ~number, number ^ 0x5555};
        memcpy(to, words, 8 * version);
        return 8 * version;
    }
    const char *format = texts[slot][version - 1];
    if (!format) {
        memcpy(to, &number, 8);
        return 8;
    }
    char text[32];
    int length = snprintf(text, sizeof text, format, (long long)number);
    memcpy(to, text, (size_t)length);
    return (uint32_t)length;
}

// Reads a number; false when the bytes are none of that version.
static inline int decode(uint32_t slot, uint32_t version, apus_bytes bytes, int64_t *number) {
    *number = 0;
    if (slot == SEQUENCE) {
        if (bytes.len != 8) return 0;
        memcpy(number, bytes.data, 8);
        if (*number % scale_of(version)) return 0;
        *number /= scale_of(version);
        return 1;
    }
    if (slot == SUM || (slot == LOG && version == 2) || (slot == SEEN && version == 1)) {
        if (bytes.len != (slot == SUM ? 8 * version : 8)) return 0;
        memcpy(number, bytes.data, 8);
    } else {
        char text[33];
        if (bytes.len >= sizeof text) return 0;
        memcpy(text, bytes.data, bytes.len);
        text[bytes.len] = 0;
        const char *at = text;
        while (*at && *at != '-' && (*at < '0' || *at > '9')) at++;
        *number = strtoll(at, NULL, 10);
    }
    // It is of that version only if it comes out the same.
    uint8_t again[32];
    return encode(slot, version, *number, again) == bytes.len
        && !memcmp(again, bytes.data, bytes.len);
}
