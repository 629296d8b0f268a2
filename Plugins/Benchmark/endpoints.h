// Source and sink of the benchmark plugin.
#ifndef BENCHMARK_ENDPOINTS_H
#define BENCHMARK_ENDPOINTS_H

#include "apus/apus.h"

extern const apus_component generate_component;
extern const apus_component discard_component;

#endif
