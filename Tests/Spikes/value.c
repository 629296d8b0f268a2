// A library that tells how often it was asked; with DEPENDS it asks a library that it needs.
#ifdef DEPENDS
int dependency_value(void);
__attribute__((visibility("default"))) int spike_value(void) { return dependency_value(); }
#elif defined(DEPENDENCY)
__attribute__((visibility("default"))) int dependency_value(void) { return DEPENDENCY; }
#else
static int value;
__attribute__((visibility("default"))) int spike_value(void) { return ++value; }
#endif
