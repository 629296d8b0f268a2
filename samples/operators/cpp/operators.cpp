// The three operators as a plugin.
#include "operators.hpp"

APUS_PLUGIN("apus.samples.operators", "1.0.0", "Apus", apus::component<Filter>(),
    apus::component<Sessions>(), apus::component<Dedup>())
