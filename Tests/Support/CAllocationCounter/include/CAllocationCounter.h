// Counts what threads allocate on the heap: replaces malloc and its relatives in the test process.
#ifndef CALLOCATIONCOUNTER_H
#define CALLOCATIONCOUNTER_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Whether allocations can be counted here: not under a sanitizer, which replaces malloc itself.
int allocation_counter_works(void);

// From now on, until allocation_counter_leave, what the calling thread allocates is counted.
void allocation_counter_enter(void);
void allocation_counter_leave(void);

// How many blocks threads have allocated while they were counted.
uint64_t allocation_counter_total(void);

#ifdef __cplusplus
}
#endif

#endif
