// Loads copies of a plugin, one after the other, as swaps do that never unload, and tells what
// each has cost: "files loaded, KiB of address space, KiB resident, KiB private and dirty, KiB of
// the dynamic linker's heap and of TLS" per copy, after the first one, which brings what is shared.
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

typedef struct usage {
    long size, resident, dirty;
} usage;

static usage measure(void) {
    usage now = {0, 0, 0};
    char line[256];
    long number;
    FILE *file = fopen("/proc/self/smaps_rollup", "r");
    while (file && fgets(line, sizeof line, file)) {
        if (sscanf(line, "Rss: %ld", &number) == 1) now.resident = number;
        if (sscanf(line, "Private_Dirty: %ld", &number) == 1) now.dirty = number;
    }
    if (file) fclose(file);
    file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file)) {
        if (sscanf(line, "VmSize: %ld", &number) == 1) now.size = number;
    }
    if (file) fclose(file);
    return now;
}

int main(int count, char **files) {
    usage before = measure();
    int loaded = 0;
    for (int i = 1; i < count; i++) {
        void *handle = dlopen(files[i], RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
        if (!handle) {
            printf("copy %d: %s\n", i, dlerror());
            break;
        }
        int (*value)(void) = (int (*)(void))dlsym(handle, "spike_value");
        if (value) value();
        if (i == 1) before = measure();
        else loaded++;
    }
    usage after = measure();
    if (loaded == 0) return 1;
    printf("%d\t%.0f\t%.0f\t%.0f\n", loaded, (double)(after.size - before.size) / loaded,
           (double)(after.resident - before.resident) / loaded,
           (double)(after.dirty - before.dirty) / loaded);
    return 0;
}
