// Decompresses gzip piece by piece.
#ifndef CAPUS_ZLIB_H
#define CAPUS_ZLIB_H

#include <stddef.h>
#include <stdint.h>

// A stream that is being decompressed. One thread at a time.
typedef struct apus_gunzip apus_gunzip;

// How decompression stands.
#define APUS_GUNZIP_MORE 0     // give more input, or more room for output
#define APUS_GUNZIP_END 1      // the end of a member; what follows, if anything, is another one
#define APUS_GUNZIP_CORRUPT 2  // not gzip, damaged, or no memory; see apus_gunzip_message()

// NULL when there is no memory.
apus_gunzip *apus_gunzip_create(void);
void apus_gunzip_destroy(apus_gunzip *);

// Decompresses from input to output. *input_length becomes how much of the input was used, and
// *output_length how much output there is. After APUS_GUNZIP_END the next call begins a member.
int32_t apus_gunzip_step(
    apus_gunzip *, const uint8_t *input, size_t *input_length, uint8_t *output,
    size_t *output_length);

// What is wrong after APUS_GUNZIP_CORRUPT; valid until the next call.
const char *apus_gunzip_message(const apus_gunzip *);

#endif
