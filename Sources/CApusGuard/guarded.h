// Runs one call into a plugin.
#pragma once

#include <cxxabi.h>

#include <exception>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

#include "process_watch.h"
#include "running_call.h"

// Bits of apus_guard_site.stop: who wants the callback to return.
constexpr uint32_t apus_stop_of_job = 1;
constexpr uint32_t apus_stop_of_watchdog = 2;

// 0 in every copy of this process that a plugin makes, by whatever call: see exits.cpp.
extern const volatile uint8_t *apus_guard_original;

// Ends such a copy before it can go on with the job.
[[noreturn]] void apus_guard_end_copy(const apus_guard_site *, const char *callback);

// A call before has not come back through the guard. Clears the record, fills the error.
int32_t apus_guard_blame_unreturned(const apus_guard_site *, const char *callback, apus_error *);

// How floating-point numbers are computed: rounding, denormals, which errors trap.
inline uint64_t apus_floating_point_mode() {
#if defined(__x86_64__)
    return _mm_getcsr() & ~0x3fu;  // the low bits note what has happened, which is no setting
#elif defined(__aarch64__)
    uint64_t mode;
    __asm__ volatile("mrs %0, fpcr" : "=r"(mode));
    return mode;
#else
    return 0;
#endif
}

inline void apus_set_floating_point_mode(uint64_t mode) {
#if defined(__x86_64__)
    _mm_setcsr(static_cast<uint32_t>(mode));
#elif defined(__aarch64__)
    __asm__ volatile("msr fpcr, %0" : : "r"(mode));
#else
    (void)mode;
#endif
}

// The edges of a call. The record is written by its own thread alone; the watchdog and a signal
// handler read it, so the turn is stored last at the begin and first at the end.
inline void apus_begin_call(
    apus_running &own, const apus_guard_site *site, const char *callback, uint32_t count) {
    if (APUS_UNLIKELY(!own.is_listed)) apus_guard_enlist();
    own.callback = callback;
    own.count = count;
    own.site = site;
    __atomic_store_n(&own.turn, own.turn + 1, __ATOMIC_RELEASE);
}

inline void apus_end_call(
    apus_running &own, const apus_guard_site *site, const char *callback, uint64_t mode) {
    __atomic_store_n(&own.turn, own.turn + 1, __ATOMIC_RELEASE);
    own.site = nullptr;
    if (APUS_UNLIKELY(!*apus_guard_original)) apus_guard_end_copy(site, callback);
    uint64_t found = apus_floating_point_mode();
    if (APUS_UNLIKELY(found != mode) && !site->is_loader) {
        apus_set_floating_point_mode(mode);
        apus_process_tell_mode(site, callback, mode, found);
    }
    // The first calls are the ones that set things up.
    if (APUS_UNLIKELY(site->check_count < apus_process_checks_per_site)) {
        apus_process_check(site, callback);
    }
    if (APUS_UNLIKELY(__atomic_load_n(&site->stop, __ATOMIC_RELAXED) & apus_stop_of_watchdog)) {
        __atomic_and_fetch(
            &const_cast<apus_guard_site *>(site)->stop, ~apus_stop_of_watchdog, __ATOMIC_RELAXED);
    }
}

// Runs a call; what it throws becomes an error. pthread_exit and cancellation are not exceptions
// that may be swallowed: they end the process through std::terminate, as an uncaught one would.
// `count` is how many records the call is about.
template <typename Call>
int32_t guarded(
    const apus_guard_site *site, const char *callback, apus_error *error, Call call,
    uint32_t count = 0) noexcept {
    apus_running &own = apus_running_call;
    if (APUS_UNLIKELY(own.site != nullptr)) {
        return apus_guard_blame_unreturned(site, callback, error);
    }
    const uint64_t mode = apus_floating_point_mode();
    apus_begin_call(own, site, callback, count);
    int32_t code;
    try {
        code = call();
    } catch (const abi::__forced_unwind &) {
        own.reason = "pthread_exit() or a cancellation of the thread";
        std::terminate();
    } catch (const std::exception &e) {
        code = apus_fail(error, APUS_EXCEPTION, e.what());
    } catch (const char *text) {
        code = apus_fail(error, APUS_EXCEPTION, text ? text : "a null pointer was thrown");
    } catch (...) {
        code = apus_fail(
            error, APUS_EXCEPTION, "something that is not a std::exception was thrown");
    }
    apus_end_call(own, site, callback, mode);
    return code;
}

// The same for a call that the host has to make while a callback of a plugin waits for a function
// of the host, such as migrate: its record is put aside meanwhile.
template <typename Call>
int32_t guarded_within(
    const apus_guard_site *site, const char *callback, apus_error *error, Call call) noexcept {
    apus_running &own = apus_running_call;
    const apus_guard_site *outer = own.site;
    const char *outer_callback = own.callback;
    const uint32_t outer_count = own.count;
    if (outer) {
        // Even for a moment, so that the watchdog begins to count anew.
        __atomic_store_n(&own.turn, own.turn + 1, __ATOMIC_RELEASE);
        own.site = nullptr;
    }
    int32_t code = guarded(site, callback, error, call);
    if (outer) apus_begin_call(own, outer, outer_callback, outer_count);
    return code;
}
