// Operator state: lists of items that belong to a subtask and not to a key.
//
// For what an operator has to remember besides its keys: how far it is, what waits to be sent,
// which parts of the work are its own. Operators without keys may have it, too. Each subtask has
// its own lists, which begin empty and are kept in memory as a whole: some thousand items, not
// millions. They can be read and written in every callback from open on, which finds there what
// the checkpoint had.
//
// When a job goes on from a checkpoint, the declaration says who gets the items:
//
//   APUS_SPLIT  Each item goes to one subtask. With as many subtasks as before each gets back its
//               own; otherwise all items, in the order of the old subtasks and their positions,
//               are dealt out in ranges that differ by one item at most.
//   APUS_UNION  Each subtask gets all items, in that order, at any parallelism. It is for the
//               subtask to keep what concerns it, in open; otherwise they are all multiplied by
//               the number of subtasks each time the job goes on.
//
// Functions take the index of a declaration in apus_component.operator_states. Bytes that come
// from a list are valid until the callback returns, or until append, set or truncate is next
// called for the same list, whichever is first; writes to other lists move nothing.
#ifndef APUS_OPERATOR_STATE_H
#define APUS_OPERATOR_STATE_H

#include "apus/state.h"

// Who gets the items when a job goes on from a checkpoint.
#define APUS_SPLIT 1u
#define APUS_UNION 2u

typedef struct apus_operator_state_decl {
    uint32_t size;
    uint32_t redistribution;  // APUS_SPLIT or APUS_UNION
    apus_str name;            // [a-z0-9-]; stable for ever, unlike those of all other states
    uint32_t schema_version;  // 1 or more; what the items' bytes mean
    uint32_t flags;           // 0
    apus_str schema;          // free text for people, kept in checkpoints; may be empty
    // Since 0.3.
    uint32_t min_readable;    // as in apus_state_decl
    uint32_t reserved;
    apus_str renamed_from;
    apus_migrate migrate;
} apus_operator_state_decl;

// All functions [op]. They return APUS_OK, APUS_NOT_FOUND for a position that is behind the end,
// APUS_UNSUPPORTED for an index that does not exist or NULL where bytes or a place for a result
// are needed, and APUS_LIMIT when an item is 2^31 bytes long or more, or when there are 2^31 items.
// Bytes that are stored may lie in the list.
typedef struct apus_operator_state_api {
    uint32_t size;
    uint32_t reserved;
    // How many items. [op]
    int32_t (*count)(apus_ctx *, uint32_t index, uint64_t *count);
    // The item at a position, from 0. [op]
    int32_t (*get)(apus_ctx *, uint32_t index, uint64_t position, apus_bytes *item);
    // Adds a copy at the end. [op]
    int32_t (*append)(apus_ctx *, uint32_t index, const void *item, uint64_t len);
    // Puts a copy in the place of the item at a position. [op]
    int32_t (*set)(
        apus_ctx *, uint32_t index, uint64_t position, const void *item, uint64_t len);
    // Removes the items from position `count` on, so that at most `count` are left; 0 removes
    // all. [op]
    int32_t (*truncate)(apus_ctx *, uint32_t index, uint64_t count);
} apus_operator_state_api;

#endif
