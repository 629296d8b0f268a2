#include "CApusShims.h"

#include <malloc.h>

size_t apus_allocated_bytes(void) {
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}
