// A plugin from the future: all it exports is the entry function of ABI major 9.
#include "apus/apus.h"

APUS_EXPORT const void *apus_plugin_v9(const void *host, void *error);

const void *apus_plugin_v9(const void *host, void *error) {
    (void)host, (void)error;
    return NULL;
}
