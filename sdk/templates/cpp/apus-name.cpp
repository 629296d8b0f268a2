// The plugin: what the host loads.
#include "apus-name.hpp"

APUS_PLUGIN("com.example.apus-name", "0.1.0", "Example", apus::component<ApusNameOperator>())
