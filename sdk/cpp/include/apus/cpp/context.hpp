// What handlers get: the record or the timer in hand, and what can be done for it.
#ifndef APUS_CPP_CONTEXT_HPP
#define APUS_CPP_CONTEXT_HPP

#include <cstdint>
#include <optional>
#include <string_view>

#include "apus/cpp/frame.hpp"

namespace apus {

constexpr std::int64_t milliseconds(std::int64_t n) { return n * 1000; }
constexpr std::int64_t seconds(std::int64_t n) { return n * 1000000; }
constexpr std::int64_t minutes(std::int64_t n) { return n * 60000000; }
constexpr std::int64_t hours(std::int64_t n) { return n * 3600000000; }

// A record. Its views are valid until the handler returns.
class Record {
public:
    Record(const apus_batch *batch, std::uint32_t index) : batch_(batch), index_(index) {}

    bool has_key() const { return apus_has_key(batch_, index_); }
    bool has_value() const {
        return !(batch_->kind && (batch_->kind[index_] & APUS_KIND_NULL_VALUE));
    }
    // Empty when there is none.
    std::string_view key() const {
        return has_key() ? view(batch_->key[index_]) : std::string_view();
    }
    std::string_view value() const { return view(batch_->value[index_]); }
    // Event time in microseconds since 1970.
    std::optional<std::int64_t> time() const {
        if (batch_->ts[index_] == APUS_NO_TIME) return std::nullopt;
        return batch_->ts[index_];
    }
    // By which of the operator's inputs it came.
    std::uint32_t input() const { return batch_->input; }

private:
    std::string_view view(const apus_view &v) const {
        return {reinterpret_cast<const char *>(apus_view_data(&v, batch_->buffers)), v.len};
    }

    const apus_batch *batch_;
    std::uint32_t index_;
};

struct OutputIndex {
    std::uint32_t index;
};
constexpr OutputIndex main_output{0};

struct TimerIndex {
    std::uint32_t index;
    const char *name;
};

// A timer that is due.
class FiredTimer {
public:
    FiredTimer(const apus_timers *timers, std::uint32_t index)
        : timers_(timers), record_(timers->batch, index), index_(index) {}

    bool is(TimerIndex timer) const { return timers_->timer[index_] == timer.index; }
    std::uint64_t id() const { return timers_->id[index_]; }
    std::string_view key() const { return record_.key(); }
    // What it was set for.
    std::int64_t time() const { return timers_->batch->ts[index_]; }
    std::string_view payload() const { return record_.value(); }

private:
    const apus_timers *timers_;
    Record record_;
    std::uint32_t index_;
};

enum class Level : std::uint32_t {
    debug = APUS_LOG_DEBUG,
    info = APUS_LOG_INFO,
    warning = APUS_LOG_WARNING,
    error = APUS_LOG_ERROR
};

namespace detail {
inline const apus_host *host = nullptr;  // set by the entry function, before anything else
}

// What a handler can do for the record or the timer in hand. Lent to it; it cannot be kept.
class Context {
public:
    Context(detail::Frame &frame, std::uint32_t record) : frame_(frame), record_(record) {}
    Context(const Context &) = delete;
    Context &operator=(const Context &) = delete;

    // What event time has reached; none before the first watermark.
    std::optional<std::int64_t> watermark() const {
        if (frame_.context->watermark_us == INT64_MIN) return std::nullopt;
        return frame_.context->watermark_us;
    }
    // Processing time, read once per call of the host.
    std::int64_t now() const { return frame_.context->now_us; }

    // Emits a record with the key and the time of the one in hand.
    void emit(std::string_view value, OutputIndex to = main_output) {
        apus_out *out = frame_.output(to.index);
        const apus_batch *batch = frame_.batch;
        if (APUS_LIKELY(batch && frame_.has_room(out, value.size()))) {
            // There is room, so this does not call `more`.
            apus_emit_keyed(
                out, batch, record_, value.data(), static_cast<std::uint32_t>(value.size()));
            return;
        }
        if (!batch) return frame_.set_aside(to.index, 0, nullptr, value, time());
        Record record(batch, record_);
        std::string_view key = record.key();
        frame_.set_aside(to.index, 0, record.has_key() ? &key : nullptr, value, time());
    }

    // Emits a record with a key and a time of its own.
    void emit_with_key(
        std::string_view key, std::string_view value, std::int64_t time_us,
        OutputIndex to = main_output) {
        apus_out *out = frame_.output(to.index);
        if (!frame_.has_room(out, key.size() + value.size())) {
            return frame_.set_aside(to.index, 0, &key, value, time_us);
        }
        const char *bytes = key.data() ? key.data() : "";
        apus_emit(out, bytes, static_cast<std::uint32_t>(key.size()), value.data(),
            static_cast<std::uint32_t>(value.size()), time_us);
    }

    // Hands the record in hand on as it is, without copying its bytes.
    void forward(OutputIndex to = main_output) {
        apus_out *out = frame_.output(to.index);
        if (!frame_.batch) throw error("no record is in hand to be forwarded");
        if (APUS_LIKELY(frame_.has_room(out, 0))) {
            apus_forward(out, frame_.batch, record_);
            return;
        }
        Record record(frame_.batch, record_);
        std::string_view key = record.key();
        std::uint8_t kind = record.has_value() ? 0 : APUS_KIND_NULL_VALUE;
        frame_.set_aside(
            to.index, kind, record.has_key() ? &key : nullptr, record.value(), time());
    }

    // Sets a timer of the key in hand, or moves it. One whose time has passed fires at once.
    void set(TimerIndex timer, std::int64_t time_us, std::uint64_t id = 0,
        std::string_view payload = {}) {
        const char *bytes = payload.data() ? payload.data() : "";
        detail::check(frame_.context->timers->set(frame_.context, timer.index, id, record_,
                          time_us, bytes, payload.size()), "timer", timer.name);
    }

    // Cancels a timer of the key in hand; whether it was set.
    bool cancel(TimerIndex timer, std::uint64_t id = 0) {
        std::int32_t code =
            frame_.context->timers->cancel(frame_.context, timer.index, id, record_);
        if (code == APUS_NOT_FOUND) return false;
        detail::check(code, "timer", timer.name);
        return true;
    }

    // Logs a line; the host keeps at most 100 a second per instance.
    void log(Level level, std::string_view text) const {
        const apus_host *host = detail::host;
        if (!host || static_cast<std::uint32_t>(level) < *host->log_level) return;
        host->log(frame_.context->instance, static_cast<std::uint32_t>(level), text.data(),
            text.size());
    }

    // For the SDK.
    detail::Frame &frame() const { return frame_; }
    std::uint32_t record() const { return record_; }

private:
    std::int64_t time() const {
        return frame_.batch ? frame_.batch->ts[record_] : frame_.context->watermark_us;
    }

    detail::Frame &frame_;
    std::uint32_t record_;
};

}  // namespace apus

#endif
