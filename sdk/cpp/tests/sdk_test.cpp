// The C++ SDK in the host in memory: bytes, errors, resumption, state of all kinds, migrations.
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <random>
#include <thread>

#include "apus/test.hpp"

using apus::seconds;
using Strings = std::vector<std::string>;

static int checks;

static void check(bool holds, const char *what, int line) {
    checks++;
    if (holds) return;
    std::fprintf(stderr, "sdk_test.cpp:%d: %s\n", line, what);
    std::exit(1);
}

#define CHECK(condition) check((condition), #condition, __LINE__)

// --- Bytes: the same list is in the tests of the Swift and the Rust SDK -------------------------

enum class Color : std::uint8_t { red = 1, blue = 200 };

struct Nested {
    std::int64_t number = 0;
    std::optional<std::uint8_t> small;
    std::string text;
    static constexpr auto fields() {
        return std::make_tuple(&Nested::number, &Nested::small, &Nested::text);
    }
};

template <class T>
static std::string hex(const T &value) {
    apus::Encoder bytes;
    apus::Codec<T>::encode(bytes, value);
    std::string text;
    char digits[3];
    for (char byte : bytes.view()) {
        std::snprintf(digits, sizeof digits, "%02x", static_cast<unsigned char>(byte));
        text += digits;
    }
    return text;
}

template <class T>
static T again(const T &value) {
    apus::Encoder bytes;
    apus::Codec<T>::encode(bytes, value);
    apus::Decoder from(bytes.view());
    T decoded = apus::Codec<T>::decode(from);
    CHECK(from.is_at_end());
    return decoded;
}

static void test_bytes() {
    CHECK(hex(std::int64_t{-1}) == "7fffffffffffffff");
    CHECK(hex(std::int8_t{5}) == "85");
    CHECK(hex(std::uint16_t{258}) == "0102");
    CHECK(hex(1.5) == "bff8000000000000");
    CHECK(hex(-1.5) == "4007ffffffffffff");
    CHECK(hex(0.0f) == "80000000");
    CHECK(hex(true) == "01");
    CHECK(hex(std::string("a\0b", 3)) == "6100ff620000");
    CHECK(hex(std::optional<std::uint8_t>(7)) == "0107");
    CHECK(hex(std::optional<std::uint8_t>()) == "0000");
    CHECK(hex(std::optional<std::string>()) == "00");
    CHECK(hex(std::make_pair(std::uint8_t{1}, std::string("x"))) == "01780000");
    CHECK(hex(Color::blue) == "c8");
    CHECK((hex(std::make_pair(std::string("z"), std::optional<std::int32_t>(3)))
        == "7a00000180000003"));
    CHECK(hex(Nested{2, 3, "z"}) == "800000000000000201037a0000");
    CHECK(apus::Codec<Nested>::fixed == 0);
    CHECK((apus::Codec<std::tuple<bool, double>>::fixed == 9));
    CHECK(again(std::string("\0\0a\xff", 4)) == std::string("\0\0a\xff", 4));
    CHECK(again(std::numeric_limits<std::int32_t>::min()) == INT32_MIN);
    CHECK(again(Nested{-5, std::nullopt, ""}).number == -5);
    CHECK(again(std::vector<std::uint8_t>{0, 255, 0}) == (std::vector<std::uint8_t>{0, 255, 0}));
    for (const char *bad : {"", "\2", "a\0\1"}) {
        bool is_refused = false;
        try {
            apus::Decoder from(std::string_view(bad, *bad == 'a' ? 3 : std::strlen(bad)));
            if (*bad == 'a') apus::Codec<std::string>::decode(from);
            else apus::Codec<bool>::decode(from);
        } catch (const apus::error &) {
            is_refused = true;
        }
        CHECK(is_refused);
    }
}

static void test_order_of_bytes(std::mt19937_64 &random) {
    for (int i = 0; i < 1000; i++) {
        auto a = static_cast<std::int64_t>(random()), b = static_cast<std::int64_t>(random());
        CHECK((a < b) == (hex(a) < hex(b)));
        auto x = static_cast<double>(a) / 3, y = static_cast<double>(b) / 3;
        CHECK((x < y) == (hex(x) < hex(y)));
        std::string s(random() % 5, ' '), t(random() % 5, ' ');
        for (char &c : s) c = static_cast<char>(random() % 3);
        for (char &c : t) c = static_cast<char>(random() % 3);
        CHECK((s < t) == (hex(s) < hex(t)));
    }
}

// --- The configuration -------------------------------------------------------------------------

static void test_config() {
    apus::Config config(R"( {"a": 1, "b" : "x\n\u00e9\ud83d\ude00", "c":true, "d":[1,{"e":2}],
        "f":-2.5e3} )");
    CHECK(config.integer("a") == 1 && config.boolean("c") && config.number("f") == -2500);
    CHECK(config.text("b") == "x\n\u00e9\U0001F600");
    CHECK(config.raw("d") == R"([1,{"e":2}])" && !config.has("e"));
    auto message = [&](auto body) -> std::string {
        try {
            body();
        } catch (const apus::config_error &problem) {
            return problem.what();
        }
        return "nothing was thrown";
    };
    CHECK(message([&] { config.integer("b"); })
        == "'b' is \"x\\n\\u00e9\\ud83d\\ude00\"; expected a whole number");
    CHECK(message([&] { config.integer("z"); }) == "no 'z'; expected a whole number");
    CHECK(message([&] { config.integer("a", 2, 9); })
        == "'a' is 1; expected a whole number from 2 to 9");
    CHECK(message([&] { config.allow_only({"a", "b", "c", "d"}); })
        == "unknown key 'f'; expected 'a' 'b' 'c' 'd'");
    for (const char *bad : {"[]", "{", "{\"a\":1,}", "{\"a\":1,\"a\":2}", "{\"a\" 1}", "{} x"}) {
        CHECK(message([&] { apus::Config config(bad); }).find("expected an object") !=
            std::string::npos);
    }
}

// --- An operator that does what its records say ------------------------------------------------

class Script : public apus::KeyedOperator {
public:
    static constexpr auto id = "script";
    static constexpr auto summary = "does what its records say";
    static constexpr bool accepts_records_without_key = true;
    static constexpr std::uint32_t broadcast_input_count = 1;

    apus::Value<std::int64_t> count{this, "count"};
    apus::Map<std::pair<std::uint32_t, std::string>, std::string> map{this, "map"};
    apus::Broadcast<std::string, std::int64_t> rules{this, "rules"};
    apus::OperatorList<std::string> seen{this, "seen", apus::Redistribution::split};
    apus::Timer reminder{this, "reminder"};
    apus::Timer clock{this, "clock", apus::TimeDomain::processing};
    apus::Output side{this, "side", "a side output"};
    apus::Metric words{this, "words", "words seen"};

    void open(apus::Context &c) {
        c.log(apus::Level::info, "open " + std::to_string(seen.size(c)));
    }

    void process(const apus::Record &record, apus::Context &c) {
        std::string_view rest = record.value();
        while (!rest.empty()) {
            std::string word(rest.substr(0, rest.find(' ')));
            rest.remove_prefix(std::min(rest.size(), word.size() + 1));
            words.add(c);
            act(word, record, c);
        }
    }

    void act(const std::string &word, const apus::Record &record, apus::Context &c) {
        if (word == "bad") throw apus::bad_record("bad: " + std::string(record.value()));
        if (word == "fatal") throw std::runtime_error("it is broken");
        if (word == "odd") throw 42;
        if (word == "forward") return c.forward();
        if (word == "keyed") return c.emit_with_key("a key of its own that is long", word, 7, side);
        if (word == "count") {
            std::int64_t sum = count.modify(c, [](std::int64_t &n) { return ++n; }, 10);
            return c.emit(std::to_string(sum));
        }
        if (word == "rule") return c.emit(std::to_string(rules.get(c, "limit").value_or(-1)));
        if (word == "put") return rules.set(c, "limit", 1);
        if (word == "remember") return seen.append(c, std::string(record.key()));
        if (word == "timer") return c.set(reminder, 50, 3, "payload");
        if (word == "cancel") return c.emit(c.cancel(reminder, 3) ? "cancelled" : "none");
        if (word == "clock") return c.set(clock, c.now() + 10);
        if (word == "fill") return fill(c);
        if (word[0] == 's') return c.emit(word, side);
        c.emit(word);
    }

    void fill(apus::Context &c) {
        for (std::uint32_t i = 0; i < 100; i++) map.set(c, {i % 10, std::to_string(i)}, "v");
        std::string found;
        map.for_each_with(c, std::uint32_t{7}, [&](const auto &key, const std::string &) {
            found += key.second + " ";
        });
        int count_of_ranges = 0;
        map.for_each_in(c, {3, ""}, {5, ""}, [&](const auto &, const auto &) {
            count_of_ranges++;
        });
        int first = 0;
        map.for_each(c, [&](const auto &, const auto &) { return ++first < 3; });
        c.emit(found + std::to_string(count_of_ranges) + " " + std::to_string(first) + " "
            + std::to_string(map.size(c)));
        map.clear(c);
    }

    void process_broadcast(const apus::Record &record, apus::Context &c) {
        rules.set(c, "limit", static_cast<std::int64_t>(record.value().size()));
    }

    void on_timer(const apus::FiredTimer &timer, apus::Context &c) {
        c.emit(std::string(timer.is(clock) ? "clock " : "reminder ") + std::to_string(timer.id())
            + " " + std::string(timer.payload()));
    }

    void on_watermark(std::int64_t time, apus::Context &c) {
        if (time < 5) c.emit("watermark " + std::to_string(time));
    }
};

using ScriptHost = apus::test::Harness<Script>;

static void test_script() {
    ScriptHost host;
    host.feed("ann", "x side keyed forward", 5);
    host.feed(std::nullopt, "forward", 6);
    CHECK((host.values("main") == Strings{"x", "x side keyed forward", "forward"}));
    CHECK(host.records("main")[2].key == std::nullopt && host.records("main")[0].key == "ann");
    CHECK(host.records("side")[1].key == "a key of its own that is long");
    CHECK(host.records("side")[1].time == 7 && host.metric("words") == 5);
    host.forget();
    host.feed("ann", "x y bad", 1);  // what it emitted is taken back
    CHECK(host.values("main").empty() && host.rejected()[0].reason == "bad: x y bad");
    host.feed("ann", "count count", 1);
    host.feed("ann", "fill", 1);
    CHECK((host.values("main") == Strings{
        "11", "12", "17 27 37 47 57 67 7 77 87 97 20 3 100"}));
    host.forget();
    host.feed("ann", "rule", 1);
    host.broadcast("12345");
    host.feed("bob", "rule remember", 1);
    CHECK((host.values("main") == Strings{"-1", "5"}));
    CHECK((host.broadcast_map<std::string, std::int64_t>("rules")["limit"] == 5));
    host.forget();
    host.restart();
    CHECK((host.items<std::string>("seen") == Strings{"bob"}) && (host.log() == Strings{"open 1"}));
    host.feed("ann", "timer clock", 1);
    host.feed("bob", "timer cancel cancel", 1);
    host.watermark(3);
    host.watermark(60);
    host.clock(10);
    CHECK((host.values("main") == Strings{
        "cancelled", "none", "watermark 3", "reminder 3 payload", "clock 0 "}));
}

static void test_failures() {
    auto failure = [](const char *what, std::optional<std::string_view> key) {
        ScriptHost host;
        try {
            host.feed(key, what, 1);
        } catch (const apus::test::failure &problem) {
            CHECK(problem.code == APUS_FATAL);
            return std::string(problem.what());
        }
        return std::string("nothing");
    };
    CHECK(failure("fatal", "ann") == "it is broken");
    CHECK(failure("odd", "ann") == "something was thrown that is no std::exception");
    CHECK(failure("put", "ann")
        == "broadcast state 'rules': it can be changed in process_broadcast alone");
    CHECK(failure("count", std::nullopt)
        == "state 'count': there is no key here, or this is no member of the operator");
}

// Whatever room there is, what comes out is the same.
static void test_narrowness(std::mt19937_64 &random) {
    const char *vocabulary[] = {"a", "side", "forward", "keyed", "count", "a long word of 24 bytes",
        "bad", "x"};
    for (int round = 0; round < 300; round++) {
        std::vector<apus::test::Record> records(1 + random() % 20);
        for (auto &r : records) {
            if (random() % 4) r.key = "key " + std::to_string(random() % 3);
            for (int n = static_cast<int>(random() % 6); n > 0; n--) {
                const char *word = vocabulary[random() % 8];
                if (!r.key && std::string(word) == "count") continue;
                r.value += std::string(r.value.empty() ? "" : " ") + word;
            }
            r.time = 1;
        }
        apus_test_options options = apus::test::roomy();
        options.records_per_segment = 1 + static_cast<std::uint32_t>(random() % 5);
        options.segments_per_call = static_cast<std::uint32_t>(random() % 4);
        options.batch_records = static_cast<std::uint32_t>(random() % 4);
        options.keeps_stopping = static_cast<std::uint32_t>(random() % 2);
        ScriptHost roomy, narrow("{}", options);
        roomy.feed(records);
        narrow.feed(records);
        CHECK(roomy.records("main") == narrow.records("main"));
        CHECK(roomy.records("side") == narrow.records("side"));
        CHECK(roomy.rejected().size() == narrow.rejected().size());
        CHECK(roomy.metric("words") == narrow.metric("words"));
    }
}

// --- Migrations --------------------------------------------------------------------------------

struct Visit1 {
    std::int64_t count = 0;
    static constexpr auto fields() { return std::make_tuple(&Visit1::count); }
};

struct Visit2 {
    std::int64_t count = 0;
    std::string note;
    static constexpr auto fields() { return std::make_tuple(&Visit2::count, &Visit2::note); }
    static constexpr std::uint32_t version = 2;
    using previous = Visit1;
    static Visit2 migrate(const Visit1 &old) { return {old.count, "migrated"}; }
};

struct Visit3 {
    std::string note;
    std::int32_t count = 0;
    static constexpr auto fields() { return std::make_tuple(&Visit3::note, &Visit3::count); }
    static constexpr std::uint32_t version = 3;
    using previous = Visit2;
    static Visit3 migrate(const Visit2 &old) {
        if (old.count > 100) throw apus::error("too many");
        return {old.note + "!", static_cast<std::int32_t>(old.count)};
    }
};

template <class T>
class Visits : public apus::KeyedOperator {
public:
    static constexpr auto id = "visits";
    static constexpr auto summary = "counts";
    static constexpr bool is_old = std::is_same_v<T, Visit1>;

    apus::Value<T> visits{this, is_old ? "count" : "visits",
        apus::Options().renamed_from(is_old ? "" : "count").schema("visits")};
    apus::Map<std::string, T> by_day{this, "by-day"};

    void process(const apus::Record &record, apus::Context &c) {
        int by = std::atoi(std::string(record.value()).c_str());
        visits.modify(c, [&](T &visit) { visit.count += by; });
        by_day.set(c, "monday", *visits.get(c));
    }
};

static void test_migrations() {
    apus::test::Harness<Visits<Visit1>> host;
    host.feed("ann", "2", 1);
    host.feed("bob", "3", 1);
    host.upgrade<Visits<Visit3>>();
    host.feed("bob", "4", 1);
    auto ann = host.value<Visit3>("visits", "ann"), bob = host.value<Visit3>("visits", "bob");
    CHECK(ann->count == 2 && ann->note == "migrated!" && bob->count == 7);
    CHECK((host.map<std::string, Visit3>("by-day", "ann")["monday"].count == 2));
    auto refusal = [](auto body) {
        try {
            body();
        } catch (const apus::test::failure &problem) {
            CHECK(problem.code == APUS_INCOMPATIBLE);
            return std::string(problem.what());
        }
        return std::string("nothing");
    };
    CHECK(refusal([&] { host.upgrade<Visits<Visit2>>(); }).find("version 3") != std::string::npos);
    apus::test::Harness<Visits<Visit1>> many;
    many.feed("ann", "101", 1);
    CHECK(refusal([&] { many.upgrade<Visits<Visit3>>(); }).find("too many") != std::string::npos);
}

// --- The way back ------------------------------------------------------------------------------

struct Wide2 {
    std::int64_t count = 0;
    std::string note;
    static constexpr auto fields() { return std::make_tuple(&Wide2::count, &Wide2::note); }
    static constexpr std::uint32_t version = 2;
    using previous = Visit1;
    static Wide2 migrate(const Visit1 &old) { return {old.count, ""}; }
    static Visit1 downgrade(const Wide2 &now) { return {now.count}; }
};

struct Wide3 {
    std::string note;
    std::uint64_t count = 0;
    static constexpr auto fields() { return std::make_tuple(&Wide3::note, &Wide3::count); }
    static constexpr std::uint32_t version = 3;
    using previous = Wide2;
    static Wide3 migrate(const Wide2 &old) {
        return {old.note, static_cast<std::uint64_t>(old.count)};
    }
    static Wide2 downgrade(const Wide3 &now) {
        if (now.count > 1000) throw apus::error("a count of more than 1000 has no version 2");
        return {static_cast<std::int64_t>(now.count), now.note};
    }
};

// Goes back to Visit2, which goes nowhere.
struct Gap3 {
    std::int64_t count = 0;
    static constexpr auto fields() { return std::make_tuple(&Gap3::count); }
    static constexpr std::uint32_t version = 3;
    using previous = Visit2;
    static Gap3 migrate(const Visit2 &old) { return {old.count}; }
    static Visit2 downgrade(const Gap3 &now) { return {now.count, ""}; }
};

static_assert(apus::detail::goes_back<Wide2>() && apus::detail::goes_back<Wide3>());
static_assert(!apus::detail::goes_back<Visit2>() && !apus::detail::goes_back<Gap3>());

template <class T>
static void run_back_and_forth() {
    apus::test::Harness<Visits<Visit1>> host;
    host.feed("ann", "2", 1);
    host.upgrade<Visits<T>>();
    host.feed("ann", "3", 1);
    for (int i = 0; i < 3; i++) {
        host.upgrade<Visits<Visit1>>();
        CHECK(host.value<Visit1>("count", "ann")->count == 5);
        CHECK((host.map<std::string, Visit1>("by-day", "ann")["monday"].count == 5));
        host.upgrade<Visits<T>>();
        CHECK(host.value<T>("visits", "ann")->count == 5);
    }
}

static std::string refused_going_back(const std::function<void()> &body) {
    try {
        body();
    } catch (const apus::test::failure &problem) {
        CHECK(problem.code == APUS_INCOMPATIBLE);
        return problem.what();
    }
    return "nothing";
}

static void test_the_way_back() {
    run_back_and_forth<Wide2>();
    run_back_and_forth<Wide3>();
    apus::test::Harness<Visits<Wide3>> many;
    many.feed("ann", "1001", 1);
    CHECK(refused_going_back([&] { many.upgrade<Visits<Visit1>>(); }).find("more than 1000")
          != std::string::npos);
    apus::test::Harness<Visits<Gap3>> gap;
    gap.feed("ann", "1", 1);
    CHECK(refused_going_back([&] { gap.upgrade<Visits<Visit1>>(); }).find("version 1 cannot read")
          != std::string::npos);
}

// --- Functions ---------------------------------------------------------------------------------

static const apus_plugin *functions(const apus_host *host, apus_error *error) {
    return apus::detail::describe(host, error, [] {
        return new apus::detail::PluginTable("functions", "1.0.0", "test", {
            apus::function("twice", "emits twice", [](const apus::Record &r, apus::Context &c) {
                c.emit(r.value());
                c.emit(r.value());
            }),
            apus::function("prefix", "puts something before", [](const apus::Config &config) {
                return [prefix = config.text("prefix")](const apus::Record &r, apus::Context &c) {
                    c.emit(prefix + std::string(r.value()));
                };
            })});
    });
}

static void test_functions() {
    apus::test::Host twice(functions, "twice"), prefix(functions, "prefix", R"({"prefix":"<"})");
    for (apus::test::Host *host : {&twice, &prefix}) host->feed(std::nullopt, "x", 1);
    CHECK((twice.values("main") == Strings{"x", "x"}));
    CHECK((prefix.values("main") == Strings{"<x"}));
}

int main(int argc, char **argv) {
    std::uint64_t seed = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : std::random_device()();
    std::printf("sdk_test: seed %llu\n", static_cast<unsigned long long>(seed));
    std::mt19937_64 random(seed);
    test_bytes();
    test_order_of_bytes(random);
    test_config();
    test_script();
    test_failures();
    test_narrowness(random);
    test_migrations();
    test_the_way_back();
    test_functions();
    std::printf("sdk_test: %d checks passed\n", checks);
}
