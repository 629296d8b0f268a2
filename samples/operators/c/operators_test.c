// The operators in a host in memory, with a clock of our own.
#include <stdio.h>
#include <stdlib.h>

#include "apus/test.h"

#define S INT64_C(1000000)

static int checks;

static void check(int holds, const char *what, int line, apus_test *t) {
    checks++;
    if (holds) return;
    fprintf(stderr, "operators_test.c:%d: %s; failure: %s\n", line, what,
        apus_test_failure(t) ? apus_test_failure(t) : "none");
    exit(1);
}

#define CHECK(t, condition) check((condition) != 0, #condition, __LINE__, t)
#define CHECK_TEXT(t, found, expected) \
    check(strcmp(found, expected) == 0, #found " is not " expected, __LINE__, t)

static void test_filter(const apus_test_options *options) {
    apus_test *t =
        apus_test_open(apus_plugin_v0, "filter", "{\"minimum\":10,\"column\":1}", options);
    const char *lines[] = {"a,10", "b,9", "c", "d,1x", "e,-11", "a longer line than 12,999"};
    for (int i = 0; i < 6; i++) apus_test_feed(t, NULL, lines[i], i);
    CHECK(t, apus_test_failure(t) == NULL);
    CHECK(t, apus_test_count(t, "main") == 2);
    CHECK_TEXT(t, apus_test_text(t, "main", 0), "a,10");
    CHECK_TEXT(t, apus_test_text(t, "main", 1), "a longer line than 12,999");
    CHECK(t, apus_test_output(t, "main", 1).ts == 5);
    CHECK(t, apus_test_rejected_count(t) == 2);
    CHECK_TEXT(t, apus_test_rejected(t, 0, NULL), "column 1 is missing");
    CHECK_TEXT(t, apus_test_rejected(t, 1, NULL), "column 1 is not a whole number");
    CHECK(t, apus_test_counter(t, "kept") == 2 && apus_test_counter(t, "dropped") == 2);
    apus_test_close(t);
}

static void test_filter_config(void) {
    const char *bad[] = {
        "{}", "{\"column\":1}", "{\"column\":1,\"minimum\":2,\"x\":3}",
        "{\"column\":1,\"column\":1}", "{\"column\":-1,\"minimum\":2}", "null",
        "{\"column\":1,\"minimum\":\"2\"}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        apus_test *t = apus_test_open(apus_plugin_v0, "filter", bad[i], NULL);
        CHECK(t, apus_test_failure_code(t) == APUS_CONFIG);
        CHECK(t, strstr(apus_test_failure(t), bad[i]) != NULL);
        CHECK(t, strstr(apus_test_failure(t), "expected column") != NULL);
        apus_test_close(t);
    }
}

static void test_sessions(const apus_test_options *options) {
    apus_test *t = apus_test_open(apus_plugin_v0, "sessions", "{\"gap-seconds\":30}", options);
    apus_test_feed(t, "ann", "x,1", 100 * S);
    apus_test_feed(t, "ann", "x,2", 130 * S);  // exactly the gap: the same session
    apus_test_feed(t, "a key of more than 12 bytes", "x,7", 131 * S);
    apus_test_feed(t, "ann", "x,3", 125 * S);  // out of order
    CHECK(t, apus_test_entry_count(t, "items", apus_test_bytes("ann")) == 3);
    CHECK(t, apus_test_timer_count(t, "silent") == 2);
    apus_test_watermark(t, 159 * S);
    CHECK(t, apus_test_count(t, "sessions") == 0);
    apus_test_watermark(t, 160 * S);  // the timer of ann
    CHECK(t, apus_test_count(t, "sessions") == 1);
    CHECK_TEXT(t, apus_test_text(t, "sessions", 0), "ann,1,100000000,130000000,1+2+3");
    apus_test_feed(t, "ann", "x,4", 99 * S);  // later than the gap
    CHECK(t, apus_test_count(t, "late") == 1 && apus_test_counter(t, "late") == 1);
    apus_test_feed(t, "ann", "x,5", 200 * S);
    apus_test_feed(t, "ann", "x,6", 231 * S);  // ends the session before the timer does
    CHECK_TEXT(t, apus_test_text(t, "sessions", 1), "ann,2,200000000,200000000,5");
    apus_test_restart(t, NULL, NULL);
    apus_test_watermark(t, INT64_MAX);
    CHECK_TEXT(t, apus_test_text(t, "sessions", 2),
        "a key of more than 12 bytes,1,131000000,131000000,7");
    CHECK_TEXT(t, apus_test_text(t, "sessions", 3), "ann,3,231000000,231000000,6");
    CHECK(t, apus_test_key_count(t, "span") == 0 && apus_test_key_count(t, "newest") == 2);
    apus_test_feed(t, "ann", "x,8", APUS_NO_TIME);
    CHECK_TEXT(t, apus_test_rejected(t, 0, NULL), "the record has no time of 1970 to 9999");
    apus_test_feed(t, NULL, "x,8", 1);
    CHECK(t, apus_test_rejected_count(t) == 2);
    CHECK(t, apus_test_failure(t) == NULL);
    apus_test_close(t);
}

static void test_dedup(const apus_test_options *options) {
    apus_test *t = apus_test_open(
        apus_plugin_v0, "dedup", "{\"column\":1,\"ttl-seconds\":60}", options);
    apus_test_feed(t, "ann", "x,one,1", 100 * S);
    apus_test_feed(t, "ann", "x,one,2", 159 * S);
    apus_test_feed(t, "bob", "x,one,3", 110 * S);
    apus_test_feed(t, "ann", "x,two,4", 120 * S);
    apus_test_feed(t, "ann", "x,one,5", 160 * S);  // expired before the timer says so
    apus_test_feed(t, "ann", "x,,6", 1);
    CHECK(t, apus_test_count(t, "main") == 4 && apus_test_count(t, "duplicates") == 1);
    CHECK_TEXT(t, apus_test_text(t, "duplicates", 0), "x,one,2");
    CHECK_TEXT(t, apus_test_rejected(t, 0, NULL), "the record has no id");
    apus_test_watermark(t, 180 * S);  // the first timer of `one` leaves what was renewed alone
    CHECK(t, apus_test_entry_count(t, "seen", apus_test_bytes("ann")) == 1);
    CHECK(t, apus_test_entry_count(t, "seen", apus_test_bytes("bob")) == 0);
    apus_test_watermark(t, 220 * S);
    CHECK(t, apus_test_key_count(t, "seen") == 0 && apus_test_timer_count(t, "expired") == 0);
    CHECK(t, apus_test_counter(t, "duplicates") == 1);
    CHECK(t, apus_test_failure(t) == NULL);
    apus_test_close(t);
}

int main(void) {
    apus_test_options roomy = {.size = sizeof roomy};
    apus_test_options narrow = {
        .size = sizeof narrow, .records_per_segment = 1, .segments_per_call = 1,
        .keeps_stopping = 1};
    const apus_test_options *all[] = {&roomy, &narrow};
    for (int i = 0; i < 2; i++) {
        test_filter(all[i]);
        test_sessions(all[i]);
        test_dedup(all[i]);
    }
    test_filter_config();
    printf("c: %d checks passed\n", checks);
    return 0;
}
