#include "CApusBareLoop.h"

int32_t apus_bare_forward(apus_out *out, const apus_batch *batch) {
    for (uint32_t i = 0; i < batch->count; i++) {
        if (apus_forward(out, batch, i)) return APUS_YIELD;
    }
    return APUS_OK;
}

int32_t apus_bare_filter(apus_out *out, const apus_batch *batch) {
    for (uint32_t i = 0; i < batch->count; i++) {
        const uint8_t *value;
        uint32_t len;
        apus_value(batch, i, &value, &len);
        if (len == 0 || value[0] & 1) continue;
        if (apus_forward(out, batch, i)) return APUS_YIELD;
    }
    return APUS_OK;
}
