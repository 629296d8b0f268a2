#include "CApusZlib.h"

#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

// Window size of 15 bits, gzip wrapper only.
#define WINDOW_BITS (15 + 16)

struct apus_gunzip {
    z_stream stream;
    int status;
};

apus_gunzip *apus_gunzip_create(void) {
    apus_gunzip *self = calloc(1, sizeof *self);
    if (!self) return NULL;
    if (inflateInit2(&self->stream, WINDOW_BITS) != Z_OK) {
        free(self);
        return NULL;
    }
    return self;
}

void apus_gunzip_destroy(apus_gunzip *self) {
    if (!self) return;
    inflateEnd(&self->stream);
    free(self);
}

static uInt at_most(size_t length) {
    return length > INT_MAX ? INT_MAX : (uInt)length;
}

int32_t apus_gunzip_step(
    apus_gunzip *self, const uint8_t *input, size_t *input_length, uint8_t *output,
    size_t *output_length) {
    z_stream *stream = &self->stream;
    if (self->status == Z_STREAM_END) inflateReset(stream);
    uInt input_given = at_most(*input_length);
    uInt output_given = at_most(*output_length);
    stream->next_in = (Bytef *)input;
    stream->avail_in = input_given;
    stream->next_out = output;
    stream->avail_out = output_given;
    self->status = inflate(stream, Z_NO_FLUSH);
    *input_length = input_given - stream->avail_in;
    *output_length = output_given - stream->avail_out;
    if (self->status == Z_STREAM_END) return APUS_GUNZIP_END;
    // Z_BUF_ERROR says that nothing could be done with this input or room; the next call can.
    if (self->status == Z_OK || self->status == Z_BUF_ERROR) return APUS_GUNZIP_MORE;
    return APUS_GUNZIP_CORRUPT;
}

const char *apus_gunzip_message(const apus_gunzip *self) {
    if (self->status == Z_MEM_ERROR) return "no memory";
    return self->stream.msg ? self->stream.msg : "damaged";
}
