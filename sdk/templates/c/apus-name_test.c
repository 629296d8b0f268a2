// Tests of apus-name in a host in memory, whose clock the test sets: `make test`.
#undef NDEBUG
#include <assert.h>
#include <stdio.h>

#include "apus/test.h"

#define SECOND INT64_C(1000000)

int main(void) {
    apus_test *t = apus_test_open(apus_plugin_v0, "apus-name", NULL, NULL);
    apus_test_feed(t, "ann", "a record", 100 * SECOND);
    apus_test_feed(t, "bob", "a record", 110 * SECOND);
    apus_test_feed(t, "ann", "a record", 120 * SECOND);
    assert(apus_test_sum(t, "count", apus_test_bytes("ann")) == 2);
    apus_test_watermark(t, 170 * SECOND);  // bob has been silent for a minute, ann has not
    assert(apus_test_count(t, "main") == 1);
    assert(strcmp(apus_test_text(t, "main", 0), "bob,1") == 0);
    apus_test_watermark(t, INT64_MAX);  // the end of the input
    assert(strcmp(apus_test_text(t, "main", 1), "ann,2") == 0);
    apus_test_feed(t, "eve", "a record", APUS_NO_TIME);
    assert(apus_test_rejected_count(t) == 1);
    assert(apus_test_failure(t) == NULL);
    apus_test_close(t);
    puts("apus-name: all tests passed");
    return 0;
}
