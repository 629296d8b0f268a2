// What a plugin offers.
#ifndef APUS_COMPONENT_H
#define APUS_COMPONENT_H

#include "apus/operator.h"
#include "apus/operator_state.h"

// Kinds of components. ABI 0.2 has operators only.
#define APUS_OPERATOR 2u

// Flags of a component.
#define APUS_KEYED 1u              // its records have keys; needed for state and timers
#define APUS_ACCEPTS_NULL_KEY 2u   // wants records without key too; else they are dead-lettered

// An output. The first one declared is the main output.
typedef struct apus_port {
    uint32_t size;
    uint32_t flags;   // 0
    apus_str name;    // [a-z0-9-]; the job file says `operator.name`
    apus_str summary;
} apus_port;

// A counter of the operator's own: `ctx->counters[index] += n`.
typedef struct apus_counter_decl {
    uint32_t size;
    uint32_t flags;   // 0
    apus_str name;    // [a-z0-9_]
    apus_str summary;
} apus_counter_decl;

// What an instance is told when it is created. Valid until create returns.
typedef struct apus_args {
    uint32_t size;
    uint32_t subtask;          // 0 ..< parallelism
    uint32_t parallelism;
    uint32_t max_parallelism;
    apus_bytes config;         // the job file's `config` as compact JSON; `{}` when there is none
    apus_str job;
    apus_str operator_id;
    uint64_t instance;         // for apus_host.log
} apus_args;

// Static in the plugin; valid for ever.
typedef struct apus_component {
    uint32_t size;
    uint32_t kind;             // APUS_OPERATOR
    // Makes an instance. The configuration is checked here: APUS_CONFIG with a message that says
    // what was expected. On an error *self is ignored and destroy is not called. [ctl]
    int32_t (*create)(const apus_args *, void **self, apus_error *);
    // Frees the instance. [ctl]
    void (*destroy)(void *self);
    const void *vt;            // apus_operator_vt
    apus_str id;               // [a-z0-9-], one of its kind in the plugin
    apus_str summary;
    uint32_t flags;
    uint32_t input_count;      // how many inputs it takes; at least 1
    uint32_t output_count;     // at least 1
    uint32_t state_count;      // at most 32
    uint32_t timer_count;
    uint32_t counter_count;
    const apus_port *const *outputs;  // arrays of pointers, so that the elements may grow
    const apus_state_decl *const *states;
    const apus_timer_decl *const *timers;
    const apus_counter_decl *const *counters;
    // Since 0.2.
    uint32_t broadcast_input_count;  // how many broadcast inputs it takes at most
    uint32_t broadcast_count;        // at most 32
    const apus_state_decl *const *broadcasts;  // of kind APUS_STATE_BROADCAST, see broadcast.h
    uint32_t operator_state_count;   // at most 32
    uint32_t operator_state_flags;   // 0
    const apus_operator_state_decl *const *operator_states;  // see operator_state.h
} apus_component;

#endif
