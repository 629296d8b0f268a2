// A host in memory for unit tests of operators in C++: no runtime, and a clock that the test sets.
//
//     apus::test::Harness<Visits> host(R"({"limit":3})");
//     host.feed("ann", "a record", apus::seconds(1));
//     host.watermark(apus::hours(25));
//     assert(host.values("main") == std::vector<std::string>{"1"});
//
// Compile the test with sdk/c/testing/*.c. What a real host would fail a job for is thrown, as
// apus::test::failure.
#ifndef APUS_TEST_HPP
#define APUS_TEST_HPP

#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "apus/apus.hpp"
#include "apus/test.h"

namespace apus::test {

// What the operator or the harness reports; code 0 when it is the harness.
class failure : public std::runtime_error {
public:
    failure(std::int32_t code, const std::string &message)
        : std::runtime_error(message), code(code) {}
    const std::int32_t code;
};

struct Record {
    std::optional<std::string> key;
    std::string value;
    std::optional<std::int64_t> time;

    bool operator==(const Record &other) const {
        return key == other.key && value == other.value && time == other.time;
    }
};

struct Rejected {
    Record record;
    std::string reason;
};

inline apus_test_options roomy() {
    apus_test_options options{};
    options.size = sizeof options;
    return options;
}

// Outputs that take one record at a time, and a host that always wants its thread back: what an
// operator does must be the same. (An operator of this SDK sees nothing of it.)
inline apus_test_options narrow() {
    apus_test_options options = roomy();
    options.records_per_segment = 1;
    options.segments_per_call = 1;
    options.keeps_stopping = 1;
    return options;
}

// A host for one instance of an operator of a plugin.
class Host {
public:
    Host(apus_entry_function entry, const char *component, const std::string &config = "{}",
        const apus_test_options &options = roomy())
        : host_(apus_test_open(entry, component, config.c_str(), &options)) {
        try {
            check();
        } catch (...) {
            apus_test_close(host_);
            throw;
        }
    }
    Host(const Host &) = delete;
    Host &operator=(const Host &) = delete;
    ~Host() { apus_test_close(host_); }

    void feed(std::optional<std::string_view> key, std::string_view value,
        std::optional<std::int64_t> time) {
        add(key, value, time);
        apus_test_run(host_, 0);
        check();
    }
    // Several records in one batch.
    void feed(const std::vector<Record> &records, std::uint32_t input = 0) {
        for (const Record &r : records) add(r.key, r.value, r.time);
        apus_test_run(host_, input);
        check();
    }
    void broadcast(std::string_view value, std::uint32_t input = 0) {
        add(std::nullopt, value, std::nullopt);
        apus_test_run_broadcast(host_, input);
        check();
    }
    void watermark(std::int64_t time_us) { check(apus_test_watermark, time_us); }
    // All input has ended: fires all event-time timers.
    void end() { watermark(INT64_MAX); }
    void clock(std::int64_t now_us) { check(apus_test_clock, now_us); }
    // Goes on with another instance on the same state, as from a checkpoint.
    void restart(apus_entry_function entry = nullptr) {
        apus_test_restart(host_, entry, nullptr);
        check();
    }
    void forget() { apus_test_forget(host_); }

    std::vector<Record> records(const char *output) {
        std::vector<Record> records;
        std::uint64_t count = apus_test_count(host_, output);
        for (std::uint64_t i = 0; i < count; i++) {
            records.push_back(record(apus_test_output(host_, output, i)));
        }
        check();
        return records;
    }
    std::vector<std::string> values(const char *output) {
        std::vector<std::string> values;
        for (Record &r : records(output)) values.push_back(std::move(r.value));
        return values;
    }
    std::vector<Rejected> rejected() {
        std::vector<Rejected> all;
        for (std::uint64_t i = 0; i < apus_test_rejected_count(host_); i++) {
            apus_test_record r;
            std::string reason = apus_test_rejected(host_, i, &r);
            all.push_back({record(r), reason});
        }
        return all;
    }
    std::uint64_t metric(const char *name) {
        return checked(apus_test_counter(host_, name));
    }
    std::vector<std::string> log() {
        std::vector<std::string> lines;
        for (std::uint64_t i = 0; i < apus_test_log_count(host_); i++) {
            lines.emplace_back(apus_test_log(host_, i, nullptr));
        }
        return lines;
    }

    template <class T>
    std::optional<T> value(const char *state, std::string_view key) {
        apus_bytes found{};
        bool is_there = checked(apus_test_value(host_, state, bytes(key), &found)) != 0;
        if (!is_there) return std::nullopt;
        return detail::decode_all<T>(found.data, found.len, state);
    }
    std::int64_t sum(const char *state, std::string_view key) {
        return checked(apus_test_sum(host_, state, bytes(key)));
    }
    template <class T>
    std::vector<T> list(const char *state, std::string_view key) {
        std::vector<T> all;
        std::uint64_t count = checked(apus_test_entry_count(host_, state, bytes(key)));
        for (std::uint64_t i = 0; i < count; i++) {
            apus_entry e = apus_test_entry(host_, state, bytes(key), i);
            all.push_back(detail::decode_all<T>(e.value.data, e.value.len, state));
        }
        return all;
    }
    template <class K, class V>
    std::map<K, V> map(const char *state, std::string_view key) {
        std::map<K, V> all;
        std::uint64_t count = checked(apus_test_entry_count(host_, state, bytes(key)));
        for (std::uint64_t i = 0; i < count; i++) {
            add_entry(all, apus_test_entry(host_, state, bytes(key), i), state);
        }
        return all;
    }
    // A broadcast state.
    template <class K, class V>
    std::map<K, V> broadcast_map(const char *state) {
        std::map<K, V> all;
        std::uint64_t count = checked(apus_test_shared_count(host_, state));
        for (std::uint64_t i = 0; i < count; i++) {
            add_entry(all, apus_test_shared(host_, state, i), state);
        }
        return all;
    }
    // An operator state.
    template <class T>
    std::vector<T> items(const char *state) {
        std::vector<T> all;
        std::uint64_t count = checked(apus_test_shared_count(host_, state));
        for (std::uint64_t i = 0; i < count; i++) {
            apus_entry e = apus_test_shared(host_, state, i);
            all.push_back(detail::decode_all<T>(e.value.data, e.value.len, state));
        }
        return all;
    }
    std::uint64_t key_count(const char *state) {
        return checked(apus_test_key_count(host_, state));
    }
    std::uint64_t timer_count(const char *timer) {
        return checked(apus_test_timer_count(host_, timer));
    }
    std::optional<std::int64_t> next_timer(const char *timer) {
        std::int64_t time = 0;
        bool is_there = checked(apus_test_next_timer(host_, timer, &time)) != 0;
        return is_there ? std::optional<std::int64_t>(time) : std::nullopt;
    }

private:
    void check() const {
        if (const char *problem = apus_test_failure(host_)) {
            throw failure(apus_test_failure_code(host_), problem);
        }
    }
    template <class T>
    T checked(T result) const {
        check();
        return result;
    }
    void check(void (*function)(apus_test *, std::int64_t), std::int64_t time) {
        function(host_, time);
        check();
    }

    static apus_bytes bytes(std::string_view text) {
        const char *data = text.data() ? text.data() : "";
        return {reinterpret_cast<const std::uint8_t *>(data), text.size()};
    }
    void add(std::optional<std::string_view> key, std::string_view value,
        std::optional<std::int64_t> time) {
        apus_test_record r{{nullptr, 0}, bytes(value), time.value_or(APUS_NO_TIME)};
        if (key) r.key = bytes(*key);
        apus_test_add(host_, r);
    }
    static std::string string(apus_bytes b) {
        return std::string(reinterpret_cast<const char *>(b.data), b.len);
    }
    static Record record(const apus_test_record &r) {
        Record record;
        if (r.key.data) record.key = string(r.key);
        if (r.value.data) record.value = string(r.value);
        if (r.ts != APUS_NO_TIME) record.time = r.ts;
        return record;
    }
    template <class K, class V>
    static void add_entry(std::map<K, V> &all, const apus_entry &e, const char *state) {
        all.emplace(detail::decode_all<K>(e.key.data, e.key.len, state),
            detail::decode_all<V>(e.value.data, e.value.len, state));
    }

    apus_test *host_;
};

// A host for an operator that needs no plugin around it.
template <class T>
class Harness : public Host {
public:
    explicit Harness(const std::string &config = "{}", const apus_test_options &options = roomy())
        : Host(entry, nullptr, config, options) {}

    // The same class with state that another version of it has written.
    template <class Newer>
    void upgrade() {
        restart(Harness<Newer>::entry);
    }

    static const apus_plugin *entry(const apus_host *host, apus_error *error) {
        return detail::describe(host, error, [] {
            return new detail::PluginTable("test", "1.0.0", "test", {component<T>()});
        });
    }
};

}  // namespace apus::test

#endif
