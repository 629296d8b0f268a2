// A host in memory for unit tests of operators: no runtime, no threads, a clock that the test sets.
//
//     apus_test *t = apus_test_open(apus_plugin_v0, "count", "{\"every\":2}", NULL);
//     apus_test_feed(t, "ann", "a record", 1000);
//     apus_test_watermark(t, 60000000);
//     assert(apus_test_failure(t) == NULL);
//     assert(strcmp(apus_test_text(t, "main", 0), "1") == 0);
//     apus_test_close(t);
//
// Compile the test with the operator and sdk/c/testing/*.c. The functions of the operator are
// called as the ABI says, and their results are checked: what a real host would fail a job for is
// a failure of the test. After a failure nothing is called any more, and apus_test_failure says
// what happened. Names that the operator does not declare are failures, too.
//
// One thread at a time may use an apus_test; different ones may be used side by side.
#ifndef APUS_TEST_H
#define APUS_TEST_H

#include "apus/apus.h"

#if defined(__cplusplus)
extern "C" {
#endif

typedef struct apus_test apus_test;
typedef const apus_plugin *(*apus_entry_function)(const apus_host *, apus_error *);

// How to be a host. Zero in each field is what NULL instead of options means.
typedef struct apus_test_options {
    uint32_t size;
    uint32_t subtask;
    uint32_t parallelism;          // 0: 1
    uint32_t batch_records;        // records per call at most; 0: as many as there are
    // How narrow outputs are. With 1 and 1 an operator meets APUS_LIMIT at every other record,
    // which must not show in what it does; run your tests this way, too. An output takes at least
    // one record, so an operator in C that wants room for several needs as many.
    uint32_t records_per_segment;  // records until `more` is asked; 0: 1024
    uint32_t segments_per_call;    // segments that one call may fill; 0: any number
    uint32_t keeps_stopping;       // 1: ctx->stop is set all the time
} apus_test_options;

// A record that went in or came out. Bytes are valid until apus_test_close.
typedef struct apus_test_record {
    apus_bytes key;    // data is NULL when it has none
    apus_bytes value;  // data is NULL when it has none
    int64_t ts;        // APUS_NO_TIME when it has none
} apus_test_record;

// A zero-terminated text as bytes.
static inline apus_bytes apus_test_bytes(const char *text) {
    apus_bytes b = {(const uint8_t *)text, text ? strlen(text) : 0};
    return b;
}

// Creates an instance of a component and opens it. `component` may be NULL when the plugin has
// only one, `config` when there is none (`{}`), `options` for the usual ones. Never NULL.
apus_test *apus_test_open(
    apus_entry_function entry, const char *component, const char *config,
    const apus_test_options *options);

// Closes and destroys the instance and frees everything.
void apus_test_close(apus_test *);

// What went wrong, zero-terminated; NULL while all is well. The code is that of the plugin, or 0
// when the harness found fault with what it did.
const char *apus_test_failure(const apus_test *);
int32_t apus_test_failure_code(const apus_test *);

// MARK: What goes in.

// Hands over one record. key may be NULL: none.
void apus_test_feed(apus_test *, const char *key, const char *value, int64_t ts);
// Adds a record to those that the next apus_test_run hands over in one batch; bytes are copied.
void apus_test_add(apus_test *, apus_test_record);
void apus_test_run(apus_test *, uint32_t input);
// The same for a broadcast input.
void apus_test_run_broadcast(apus_test *, uint32_t input);
// Event time has reached this: fires timers in their order, then calls on_watermark.
// INT64_MAX is the end of the input.
void apus_test_watermark(apus_test *, int64_t watermark_us);
// The clock on the wall shows this; fires timers. It shows 0 at first.
void apus_test_clock(apus_test *, int64_t now_us);
// Ends the instance, and creates another one that finds state and timers as they are: as if the
// job had gone on from a checkpoint. With another entry, or another description behind it, values
// are migrated as a swap of plugins does. entry and config may be NULL: as before.
void apus_test_restart(apus_test *, apus_entry_function entry, const char *config);

// MARK: What came out.

// Records that left by an output, since the beginning or the last apus_test_forget.
uint64_t apus_test_count(apus_test *, const char *output);
apus_test_record apus_test_output(apus_test *, const char *output, uint64_t index);
// The value of one, zero-terminated.
const char *apus_test_text(apus_test *, const char *output, uint64_t index);
// Records that were refused; the reason is zero-terminated, the record may be NULL.
uint64_t apus_test_rejected_count(const apus_test *);
const char *apus_test_rejected(apus_test *, uint64_t index, apus_test_record *record);
// What counter the operator calls by this name.
uint64_t apus_test_counter(apus_test *, const char *counter);
// Lines of the log; zero-terminated.
uint64_t apus_test_log_count(const apus_test *);
const char *apus_test_log(apus_test *, uint64_t index, uint32_t *level);
// Forgets records that came out, were refused, and lines of the log; keeps state and counters.
void apus_test_forget(apus_test *);

// MARK: What is kept.

// 1 and the bytes, or 0 when there is nothing. Bytes are valid until the next call that may change
// state. A counter's bytes are its sum, 8 of them.
int apus_test_value(apus_test *, const char *state, apus_bytes key, apus_bytes *value);
int64_t apus_test_sum(apus_test *, const char *state, apus_bytes key);
// Lists and maps: how many, and one of them by its position. For lists entry.key is empty.
uint64_t apus_test_entry_count(apus_test *, const char *state, apus_bytes key);
apus_entry apus_test_entry(apus_test *, const char *state, apus_bytes key, uint64_t position);
// Broadcast and operator state, by the name of the map or list.
uint64_t apus_test_shared_count(apus_test *, const char *state);
apus_entry apus_test_shared(apus_test *, const char *state, uint64_t position);
// How many keys have a state; how many timers are armed, and when the next one of a kind fires.
uint64_t apus_test_key_count(apus_test *, const char *state);
uint64_t apus_test_timer_count(apus_test *, const char *timer);
int apus_test_next_timer(apus_test *, const char *timer, int64_t *time_us);

#if defined(__cplusplus)
}
#endif

#endif
