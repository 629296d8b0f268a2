// One callback at work: what the host lent for it, and how far it has come.
//
// Handlers never see that an output is full: emitting never calls `more`, so nothing is handed
// over while a handler runs and all of it can be taken back. What finds no room is set aside and
// written between records. If the host takes no more even then, the record in hand is reported as
// not done, and when the host calls again the work goes on behind it.
#ifndef APUS_CPP_FRAME_HPP
#define APUS_CPP_FRAME_HPP

#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include "apus/cpp/codec.hpp"

#if defined(__GLIBCXX__)
#include <cxxabi.h>
#endif

namespace apus::detail {

// A record that was emitted but found no room.
struct SetAside {
    std::uint32_t output;
    std::uint8_t kind;
    bool has_key;
    std::int64_t time;
    std::string key, value;
};

class Frame {
public:
    apus_ctx *context = nullptr;
    const apus_batch *batch = nullptr;  // none while no record is in hand
    Encoder key_scratch, value_scratch;

    // Calls handle(index) for each record that is to be handled; the callback's result.
    template <class Handle>
    std::int32_t run(apus_ctx *ctx, const apus_batch *records, Handle handle) {
        context = ctx;
        batch = records;
        in_hand_ = ctx->at;
        std::uint32_t first = ctx->at;
        if (pending_ != Pending::nothing) {
            if (!write_set_aside()) return apus_at(ctx, first, APUS_YIELD);
            bool was_bad = pending_ == Pending::bad;
            pending_ = Pending::nothing;
            if (was_bad) return report_bad(reason_);
            first++;
        }
        for (std::uint32_t i = first; i < records->count; i++) {
            in_hand_ = i;
            mark();
            std::int32_t code = guarded([&] { handle(i); });
            if (code != APUS_OK) return code;
            if (APUS_LIKELY(set_aside_.empty() && *ctx->stop == 0)) continue;
            if (!write_set_aside()) {
                pending_ = Pending::done;
                return apus_at(ctx, i, APUS_YIELD);
            }
            if (*ctx->stop && i + 1 < records->count) return apus_at(ctx, i + 1, APUS_YIELD);
        }
        return APUS_OK;
    }

    // The same for a callback without records.
    template <class Handle>
    std::int32_t run(apus_ctx *ctx, Handle handle) {
        context = ctx;
        batch = nullptr;
        mark();
        std::int32_t code = guarded(handle);
        if (code != APUS_OK || write_set_aside()) return code;
        return fail("more was emitted than the host takes from one call");
    }

    apus_out *output(std::uint32_t index) const {
        if (index >= context->out_count) throw error("the output is no member of the operator");
        return context->outs[index];
    }

    bool has_room(const apus_out *out, std::size_t bytes) const {
        return set_aside_.empty() && out->count < out->capacity && bytes <= out->room - out->used;
    }

    void set_aside(
        std::uint32_t output, std::uint8_t kind, const std::string_view *key,
        std::string_view value, std::int64_t time) {
        if (value.size() + (key ? key->size() : 0) >= INT32_MAX) {
            throw error("a record of " + std::to_string(value.size()) + " bytes is too long");
        }
        set_aside_.push_back({output, kind, key != nullptr, time, std::string(key ? *key : ""),
            std::string(value)});
    }

private:
    enum class Pending { nothing, done, bad };

    // Runs a handler; what it throws becomes a result.
    template <class Handle>
    std::int32_t guarded(Handle &&handle) {
        try {
            handle();
            return APUS_OK;
        } catch (const bad_record &bad) {
            if (!batch) return fail(bad.what());
            take_back();
            if (write_set_aside()) return report_bad(bad.what());
            pending_ = Pending::bad;
            reason_ = bad.what();
            return apus_at(context, in_hand_, APUS_YIELD);
        } catch (const std::exception &problem) {
            return fail(problem.what());
#if defined(__GLIBCXX__)
        } catch (abi::__forced_unwind &) {
            throw;  // the thread is being cancelled, which must not be stopped
#endif
        } catch (...) {
            return fail("something was thrown that is no std::exception");
        }
    }

    std::int32_t fail(std::string_view message) {
        context->at = in_hand_;
        return fill(context->error, APUS_FATAL, message);
    }

    std::int32_t report_bad(std::string_view reason) {
        context->at = in_hand_;
        return fill(context->error, APUS_RECORD, reason);
    }

    void mark() {
        marks_.resize(context->out_count);
        for (std::uint32_t i = 0; i < context->out_count; i++) {
            marks_[i] = apus_out_mark(context->outs[i]);
        }
        set_aside_at_mark_ = set_aside_.size();
    }

    // Outputs are handed over between records only, so this always finds the mark's segment.
    void take_back() {
        for (std::uint32_t i = 0; i < context->out_count; i++) {
            apus_rollback(context->outs[i], &marks_[i]);
        }
        set_aside_.resize(set_aside_at_mark_);
    }

    // Whether the host took all of it.
    bool write_set_aside() {
        while (written_ < set_aside_.size()) {
            const SetAside &r = set_aside_[written_];
            apus_out *out = context->outs[r.output];
            std::int32_t code = apus_emit(
                out, r.has_key ? r.key.data() : nullptr, static_cast<std::uint32_t>(r.key.size()),
                r.value.data(), static_cast<std::uint32_t>(r.value.size()), r.time);
            if (code != APUS_OK) return false;
            out->kind[out->count - 1] = static_cast<std::uint8_t>(
                out->kind[out->count - 1] | r.kind);
            written_++;
        }
        set_aside_.clear();
        written_ = 0;
        return true;
    }

    std::uint32_t in_hand_ = 0;
    std::vector<apus_mark> marks_;
    std::vector<SetAside> set_aside_;
    std::size_t written_ = 0, set_aside_at_mark_ = 0;
    Pending pending_ = Pending::nothing;
    std::string reason_;
};

}  // namespace apus::detail

#endif
