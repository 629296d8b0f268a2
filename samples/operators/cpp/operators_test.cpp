// The operators in a host in memory, with a clock of our own.
#include "operators.hpp"

#include <cstdio>
#include <cstdlib>

#include "apus/test.hpp"

using apus::seconds;
using Strings = std::vector<std::string>;

static int checks;

static void check(bool holds, const char *what, int line) {
    checks++;
    if (holds) return;
    std::fprintf(stderr, "operators_test.cpp:%d: %s\n", line, what);
    std::exit(1);
}

#define CHECK(condition) check((condition), #condition, __LINE__)

static void test_filter(const apus_test_options &options) {
    apus::test::Harness<Filter> host(R"({"minimum":10,"column":1})", options);
    std::int64_t time = 0;
    for (const char *line : {"a,10", "b,9", "c", "d,1x", "e,-11", "a longer line than 12,999"}) {
        host.feed(std::nullopt, line, time++);
    }
    CHECK((host.values("main") == Strings{"a,10", "a longer line than 12,999"}));
    CHECK(host.records("main")[1].time == 5);
    auto rejected = host.rejected();
    CHECK(rejected.size() == 2 && rejected[0].reason == "column 1 is missing");
    CHECK(rejected[1].reason == "column 1 is not a whole number");
    CHECK(host.metric("kept") == 2 && host.metric("dropped") == 2);
}

static void test_filter_config() {
    for (const char *bad : {"{}", R"({"column":1})", R"({"column":1,"minimum":2,"x":3})", "[1]",
             R"({"column":1,"column":1})", R"({"column":-1,"minimum":2})", "null",
             R"({"column":1,"minimum":"2"})"}) {
        try {
            apus::test::Harness<Filter> host(bad);
            check(false, bad, __LINE__);
        } catch (const apus::test::failure &problem) {
            CHECK(problem.code == APUS_CONFIG);
            CHECK(std::string(problem.what()).find("expected") != std::string::npos);
        }
    }
}

static void test_sessions(const apus_test_options &options) {
    apus::test::Harness<Sessions> host(R"({"gap-seconds":30})", options);
    host.feed("ann", "x,1", seconds(100));
    host.feed("ann", "x,2", seconds(130));  // exactly the gap: the same session
    host.feed("a key of more than 12 bytes", "x,7", seconds(131));
    host.feed("ann", "x,3", seconds(125));  // out of order
    CHECK((host.list<std::string>("items", "ann") == Strings{"1", "2", "3"}));
    CHECK(host.timer_count("silent") == 2 && host.next_timer("silent") == seconds(160));
    host.watermark(seconds(159));
    CHECK(host.values("sessions").empty());
    host.watermark(seconds(160));  // the timer of ann
    CHECK((host.values("sessions") == Strings{"ann,1,100000000,130000000,1+2+3"}));
    CHECK(host.records("sessions")[0].key == "ann");
    CHECK(host.records("sessions")[0].time == seconds(130));
    host.feed("ann", "x,4", seconds(99));  // later than the gap
    CHECK((host.values("late") == Strings{"x,4"}) && host.metric("late") == 1);
    host.feed("ann", "x,5", seconds(200));
    host.feed("ann", "x,6", seconds(231));  // ends the session before the timer does
    CHECK(host.value<Sessions::Span>("span", "ann")->first == seconds(231));
    CHECK(host.sum("number", "ann") == 2);
    host.restart();
    host.forget();
    host.end();
    CHECK((host.values("sessions") == Strings{
        "a key of more than 12 bytes,1,131000000,131000000,7", "ann,3,231000000,231000000,6"}));
    CHECK(host.key_count("span") == 0 && host.key_count("newest") == 2);
    host.feed("ann", "x,8", std::nullopt);
    CHECK(host.rejected()[0].reason == "the record has no time of 1970 to 9999");
}

static void test_dedup(const apus_test_options &options) {
    apus::test::Harness<Dedup> host(R"({"column":1,"ttl-seconds":60})", options);
    host.feed("ann", "x,one,1", seconds(100));
    host.feed("ann", "x,one,2", seconds(159));
    host.feed("bob", "x,one,3", seconds(110));
    host.feed("ann", "x,two,4", seconds(120));
    host.feed("ann", "x,one,5", seconds(160));  // expired before the timer says so
    host.feed("ann", "x,,6", 1);
    CHECK((host.values("main") == Strings{"x,one,1", "x,one,3", "x,two,4", "x,one,5"}));
    CHECK((host.values("duplicates") == Strings{"x,one,2"}) && host.metric("duplicates") == 1);
    CHECK(host.rejected()[0].reason == "the record has no id");
    host.watermark(seconds(180));  // the first timer of `one` leaves what was renewed alone
    auto seen = host.map<std::string, std::int64_t>("seen", "ann");
    CHECK(seen.size() == 1 && seen["one"] == seconds(160));
    host.watermark(seconds(220));
    CHECK(host.key_count("seen") == 0 && host.timer_count("expired") == 0);
}

int main() {
    for (const apus_test_options &options : {apus::test::roomy(), apus::test::narrow()}) {
        test_filter(options);
        test_sessions(options);
        test_dedup(options);
    }
    test_filter_config();
    std::printf("cpp: %d checks passed\n", checks);
}
