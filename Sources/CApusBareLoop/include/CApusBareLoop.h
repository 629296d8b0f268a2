// The loops of the benchmark plugin, compiled into the host: what is left when the plugin ABI and
// the guard are taken away.
#ifndef CAPUS_BARE_LOOP_H
#define CAPUS_BARE_LOOP_H

#include <apus/apus.h>

// Hands every record on, as `passthrough` does. Returns APUS_OK, or APUS_YIELD when out is full.
int32_t apus_bare_forward(apus_out *out, const apus_batch *batch);

// Hands on the records whose value begins with an even byte, as `filter` does.
int32_t apus_bare_filter(apus_out *out, const apus_batch *batch);

#endif
