// Tests of apus-name in a host in memory, whose clock the test sets: `make test`.
#undef NDEBUG
#include <assert.h>
#include <stdio.h>

#include "apus/test.h"

#define SECOND INT64_C(1000000)

static void test(const apus_test_options *options) {
    apus_test *t = apus_test_open(apus_plugin_v0, "apus-name", NULL, options);
    apus_test_feed(t, "ann", "a record", 100 * SECOND);
    apus_test_feed(t, "bob", "a record", 130 * SECOND);
    apus_test_feed(t, "ann", "a record", 110 * SECOND);
    assert(apus_test_timer_count(t, "minute-is-over") == 2);
    apus_test_watermark(t, 120 * SECOND);  // the minute of ann's records is over
    assert(apus_test_count(t, "main") == 1);
    assert(strcmp(apus_test_text(t, "main", 0), "ann,2") == 0);
    apus_test_watermark(t, INT64_MAX);  // the end of the input
    assert(strcmp(apus_test_text(t, "main", 1), "bob,1") == 0);
    assert(apus_test_key_count(t, "counts") == 0);
    apus_test_feed(t, "eve", "a record", APUS_NO_TIME);
    assert(apus_test_rejected_count(t) == 1);
    assert(apus_test_failure(t) == NULL);
    apus_test_close(t);
}

int main(void) {
    test(NULL);
    // Outputs that take one record at a time, and a host that always wants its thread back.
    apus_test_options narrow = {
        .size = sizeof narrow, .records_per_segment = 1, .segments_per_call = 1,
        .keeps_stopping = 1};
    test(&narrow);
    puts("apus-name: all tests passed");
    return 0;
}
