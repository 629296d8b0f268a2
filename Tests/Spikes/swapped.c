// A plugin in C with some state of a thread's own.
static __thread char own[4096];
static int value;
__attribute__((visibility("default"))) int spike_value(void) {
    own[value % sizeof own] = 1;
    return ++value;
}
