#include "CApusShims.h"

// The library's state is what a stream is: it wants an alignment that only its own functions give.
static XXH3_state_t *state(apus_hash128_stream *stream) {
    return (XXH3_state_t *)stream;
}

apus_hash128_stream *apus_hash128_begin(void) {
    XXH3_state_t *made = XXH3_createState();
    if (made) XXH3_128bits_reset(made);
    return (apus_hash128_stream *)made;
}

void apus_hash128_add(apus_hash128_stream *stream, const void *bytes, size_t n) {
    XXH3_128bits_update(state(stream), bytes, n);
}

apus_hash128 apus_hash128_value(const apus_hash128_stream *stream) {
    XXH128_hash_t hash = XXH3_128bits_digest((const XXH3_state_t *)stream);
    apus_hash128 result = {hash.low64, hash.high64};
    return result;
}

void apus_hash128_end(apus_hash128_stream *stream) {
    XXH3_freeState(state(stream));
}
