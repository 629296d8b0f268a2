// The components of the plugin, each in a file of its own.
#ifndef FILES_COMPONENTS_H
#define FILES_COMPONENTS_H

#include "apus/apus.h"

extern const apus_component folder_source;
extern const apus_component epochs_sink;
extern const apus_component append_sink;
extern const apus_component length_prefixed_codec;

#endif
