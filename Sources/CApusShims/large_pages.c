#define _GNU_SOURCE
#include <sys/mman.h>

#include "CApusShims.h"

void *apus_map_large_pages(size_t size, size_t alignment) {
    // Mapped larger than asked for, then trimmed to an aligned part.
    size_t mapped = size + alignment;
    uint8_t *memory = mmap(
        NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) return NULL;
    size_t before = (alignment - (uintptr_t)memory % alignment) % alignment;
    if (before) munmap(memory, before);
    munmap(memory + before + size, alignment - before);
    madvise(memory + before, size, MADV_HUGEPAGE);  // a wish: without it small pages do as well
    return memory + before;
}

void apus_unmap(void *memory, size_t size) {
    munmap(memory, size);
}
