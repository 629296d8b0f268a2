// The one function that a plugin exports.
#ifndef APUS_ENTRY_H
#define APUS_ENTRY_H

#include "apus/component.h"
#include "apus/host.h"
#include "apus/note.h"

// Static in the plugin; valid for ever.
typedef struct apus_plugin {
    uint32_t size;
    uint16_t abi_minor;        // APUS_ABI_MINOR of the header it was compiled with
    uint16_t abi_minor_floor;  // APUS_ABI_MINOR_FLOOR: the oldest minor of a host it runs on
    apus_str id;               // "com.example.fraud"
    apus_str version;          // semantic version, "1.4.2"
    apus_str vendor;
    uint32_t component_count;
    uint32_t reserved;
    const apus_component *const *components;
} apus_plugin;

// The name of the entry function carries the major version of the ABI, so that no struct is ever
// read under the wrong one.
#define APUS_ENTRY apus_plugin_v0
#define APUS_ENTRY_NAME "apus_plugin_v0"

// Called once for each loaded file, before anything else. No input or output, no threads, under
// 100 ms. Returns NULL with the error filled in when the plugin refuses this host. [ctl]
APUS_EXPORT const apus_plugin *apus_plugin_v0(const apus_host *host, apus_error *error);

#endif
