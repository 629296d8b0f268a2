#define _GNU_SOURCE
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "CApusFunctions.h"

void *apus_fenced_copy(const void *bytes, size_t length) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t room = (length + page - 1) / page * page;
    if (room == 0) room = page;
    uint8_t *memory = mmap(NULL, room + page, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return NULL;
    if (mprotect(memory + room, page, PROT_NONE) != 0) return NULL;
    uint8_t *copy = memory + room - length;
    if (length) memcpy(copy, bytes, length);
    return copy;
}
