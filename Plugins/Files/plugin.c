// Sources, sinks and codecs around plain files, as examples of how such components are written,
// and for use: see docs/connectors.md.
#define APUS_ABI_MINOR_FLOOR 3
#include "components.h"

APUS_PLUGIN_NOTE(APUS_LANGUAGE_C, 0);

static const apus_component *const components[] = {
    &folder_source, &epochs_sink, &append_sink, &length_prefixed_codec};

static const apus_plugin plugin = {
    .size = sizeof plugin,
    .abi_minor = APUS_ABI_MINOR,
    .abi_minor_floor = APUS_ABI_MINOR_FLOOR,
    .id = APUS_STR("apus.files"),
    .version = APUS_STR("0.1.0"),
    .vendor = APUS_STR("Apus"),
    .component_count = sizeof components / sizeof components[0],
    .components = components};

APUS_EXPORT const apus_plugin *apus_plugin_v0(const apus_host *host, apus_error *error) {
    (void)host, (void)error;
    return &plugin;
}
