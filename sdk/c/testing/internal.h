// What the parts of the test host share.
#ifndef APUS_TEST_INTERNAL_H
#define APUS_TEST_INTERNAL_H

#include <stdarg.h>

#include "apus/test.h"

#define STATES_MAX 32
#define OUTPUTS_MAX 64

// Bytes of our own; one more byte than len, which is zero.
typedef struct block {
    uint8_t *data;
    uint64_t len;
} block;

typedef struct item {
    block key;
    block value;
} item;

// A list or a map: of a key, of a broadcast state, or of an operator state.
typedef struct items {
    item *at;
    uint64_t count, capacity, version;
} items;

// One slot of one key.
typedef struct row {
    struct row *next;
    uint32_t slot;
    block key;
    block value;
    int64_t sum;
    items items;
} row;

typedef struct timer {
    uint32_t index;
    uint64_t id;
    int64_t time;
    block key;
    block payload;
    int is_taken;
} timer;

// A record that went in or came out.
typedef struct kept {
    block key, value;
    int has_key, has_value;
    int64_t ts;
} kept;

typedef struct kept_list {
    kept *at;
    uint64_t count, capacity;
} kept_list;

typedef struct columns {
    apus_view *key, *value;
    int64_t *ts;
    uint8_t *kind;
    uint8_t *arena;
} columns;

// An output: two sets of columns in turn, so that a mark of one does not fit the other.
typedef struct output {
    apus_out out;
    columns columns[2];
    uint32_t room, segments;
    uint64_t count_before;  // the records that had come out before the call
    kept_list received;
    struct apus_test *test;
} output;

typedef struct line {
    uint32_t level;
    block text;
} line;

typedef struct batch {
    apus_batch view;
    uint8_t *arena;
    const uint8_t *buffers[2];
} batch;

struct apus_test {
    apus_test_options options;
    apus_entry_function entry;
    const apus_component *component;
    const apus_operator_vt *vt;
    char *component_id, *config;
    void *self;
    int is_created, is_open;
    uint64_t instance;
    struct apus_test *next;  // among those that are open

    apus_ctx ctx;
    apus_error error;
    uint32_t stop;
    apus_out *outs[OUTPUTS_MAX];
    output outputs[OUTPUTS_MAX];
    uint32_t output_count;
    uint64_t counters[256];

    kept_list waiting;       // for the next run
    const kept_list *hand;   // the records in hand, or NULL
    const apus_batch *batch; // the same as the plugin sees them

    row *rows;
    items broadcasts[STATES_MAX], operator_states[STATES_MAX];
    int may_broadcast;
    timer *timers;
    uint64_t timer_count, timer_capacity;

    kept_list rejected;
    block *reasons;
    uint64_t reason_capacity;
    line *lines;
    uint64_t line_count, line_capacity;

    char failure[1024];
    int32_t failure_code;
    int has_failed;
};

// test_memory.c
block block_of(const void *data, uint64_t len);
void block_free(block *);
void block_replace(block *, const void *data, uint64_t len);
int block_is(const block *, const void *data, uint64_t len);
kept *kept_add(kept_list *);
void kept_clear(kept_list *);
apus_test_record kept_record(const kept *);
void *grown(void *memory, uint64_t count, uint64_t *capacity, uint64_t size);
int is_text(apus_str, const char *text);
void fail(apus_test *, int32_t code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// test_items.c
int32_t items_append(items *, const void *value, uint64_t len);
int64_t items_find(const items *, const void *key, uint64_t len);
void items_put(items *, const void *key, uint64_t key_len, const void *value, uint64_t len);
int items_remove(items *, const void *key, uint64_t key_len);
int32_t items_next_value(items *, apus_cursor *, apus_bytes *, uint32_t, uint32_t *);
int32_t items_next_entry(items *, apus_cursor *, apus_entry *, uint32_t, uint32_t *);
void items_truncate(items *, uint64_t count);
void items_free(items *);

// test_state.c
extern const apus_state_api test_state_api;
row *row_find(apus_test *, uint32_t slot, const void *key, uint64_t key_len);
void row_remove(apus_test *, row *);
const kept *record_in_hand(apus_ctx *, uint32_t rec);
apus_test *test_of(apus_ctx *);

// test_shared.c
extern const apus_broadcast_api test_broadcast_api;
extern const apus_operator_state_api test_operator_state_api;

// test_timers.c
extern const apus_timer_api test_timer_api;
void fire_timers(apus_test *, uint32_t domain, int64_t until);
void timer_remove(apus_test *, uint64_t position);

// test_out.c
void output_open(apus_test *, output *, uint32_t port);
void output_begin(output *);
void output_drain(output *);
void output_close(output *);

// test_run.c
void run_records(apus_test *, const kept_list *, uint32_t input, int is_broadcast);
void run_batch(apus_test *, const kept_list *, const apus_timers *, uint32_t input, int broadcast);
void batch_open(apus_test *, batch *, const kept_list *, uint64_t first, uint64_t count);
void batch_close(batch *);
int32_t begin_call(apus_test *, uint32_t at);
void end_call(apus_test *);
void after_call(apus_test *);
void register_test(apus_test *);
void unregister_test(apus_test *);
extern const apus_host test_host;

// test_migrate.c
void migrate_states(apus_test *, const apus_component *before, const apus_component *after);
int has_same_text(apus_str, apus_str);
int64_t slot_now(
    const apus_state_decl *const *after, uint32_t count, const apus_state_decl *was);
int can_take_state(apus_test *, const apus_state_decl *before, const apus_state_decl *after);
void migrate_items(
    apus_test *, items *, const block *key, const apus_state_decl *before,
    const apus_state_decl *after);
int32_t write_to_block(apus_writer *, const void *bytes, uint64_t len);

// test_migrate_shared.c
void migrate_shared(apus_test *, const apus_component *before, const apus_component *after);

// test_migrate_timers.c
void migrate_timers(apus_test *, const apus_component *before, const apus_component *after);

#endif
