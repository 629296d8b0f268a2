// Loads each file that it is given, as the host does, and tells what spike_value() gives, and which
// of the files before has the same handle: "0:1 1:1 2=0". "!": could not be loaded.
#include <dlfcn.h>
#include <stdio.h>

int main(int count, char **files) {
    void *handles[64];
    for (int i = 1; i < count && i < 64; i++) {
        handles[i] = dlopen(files[i], RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
        if (!handles[i]) {
            printf("%d! ", i - 1);
            fprintf(stderr, "%s\n", dlerror());
            continue;
        }
        int same = 0;
        for (int k = 1; k < i; k++) {
            if (handles[k] == handles[i]) same = k;
        }
        int (*value)(void) = (int (*)(void))dlsym(handles[i], "spike_value");
        if (same) printf("%d=%d ", i - 1, same - 1);
        else printf("%d:%d ", i - 1, value());
    }
    printf("\n");
    return 0;
}
