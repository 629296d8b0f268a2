// What the generated functions and the rest of this module share.
#pragma once

#include <stdatomic.h>

#include "CApusThreadChecks.h"

// Callbacks, by the bit in masks.
#define IN_ENTRY (1u << 0)
#define IN_CREATE (1u << 1)
#define IN_DESTROY (1u << 2)
#define IN_LIST_SPLITS (1u << 3)
#define IN_MIGRATE (1u << 4)
#define IN_OPEN (1u << 5)
#define IN_CLOSE (1u << 6)
#define IN_PROCESS (1u << 7)
#define IN_BROADCAST (1u << 8)
#define IN_TIMERS (1u << 9)
#define IN_WATERMARK (1u << 10)
#define IN_ASYNC (1u << 11)
#define IN_CANCEL (1u << 12)
#define IN_EVENT (1u << 13)
#define IN_SOURCE (1u << 14)  // poll, write_position, on_checkpointed
#define IN_SINK (1u << 15)    // write, flush, commit
#define IN_CODEC (1u << 16)   // decode, encode
#define IN_SNAPSHOT (1u << 17)
#define IN_CONTROL (IN_ENTRY | IN_CREATE | IN_DESTROY | IN_LIST_SPLITS)
#define IN_RECORDS (IN_PROCESS | IN_TIMERS | IN_ASYNC)
#define IN_BATCH (IN_RECORDS | IN_BROADCAST | IN_SINK | IN_CODEC)
#define IN_ANY_OP (~(IN_CONTROL | IN_MIGRATE | IN_CANCEL))

// A function of the host: what reports say of it, and where it may be called.
typedef struct apus_checked {
    const char *name;
    const char *tag;
    const char *expected;
    uint32_t allowed;  // IN_ bits; 0 = anywhere
} apus_checked;

// A context with checking tables, and what was there before. Never freed, used again.
typedef struct apus_attached {
    apus_ctx *_Atomic ctx;
    uint64_t instance;
    const apus_state_api *state;
    const apus_timer_api *timers;
    const apus_broadcast_api *broadcast;
    const apus_operator_state_api *operator_state;
    int32_t (*more)(apus_out *, uint64_t);
    _Atomic uint64_t thread;  // that runs a callback with it; 0 = none
} apus_attached;

// Real tables that belong to no context.
typedef struct apus_real {
    const apus_host *host;
    const apus_async_api *async;
    const apus_secrets_api *secrets;
    const apus_retain_api *retain;
    const apus_thread_check_api *thread_check;
} apus_real;

extern apus_real apus_checks_real;

// Begins a call of a function that takes a context: checks it. NULL: the context is unknown, the
// real function cannot be called.
const apus_attached *apus_checks_begin(const apus_checked *function, const apus_ctx *ctx);
// The same for the function `more` of an output.
const apus_attached *apus_checks_begin_output(const apus_checked *function, const apus_out *out);
// Begins a call of a function without a context.
void apus_checks_begin_free(const apus_checked *function);
void apus_checks_end(void);

// Fills a table with checking functions, where the real one has functions.
const apus_state_api *apus_checking_state(const apus_state_api *real);
const apus_timer_api *apus_checking_timer(const apus_timer_api *real);
const apus_broadcast_api *apus_checking_broadcast(const apus_broadcast_api *real);
const apus_operator_state_api *apus_checking_operator_state(const apus_operator_state_api *real);
const apus_async_api *apus_checking_async(const apus_async_api *real);
const apus_secrets_api *apus_checking_secrets(const apus_secrets_api *real);
const apus_retain_api *apus_checking_retain(const apus_retain_api *real);
const apus_thread_check_api *apus_checking_thread_check(const apus_thread_check_api *real);
const apus_host *apus_checking_host(const apus_host *real);
int32_t apus_checking_more(apus_out *out, uint64_t bytes);

// The checking table of an extension, or the real one when there is none.
const void *apus_checking_extension(const char *name, const void *real);
