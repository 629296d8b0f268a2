// Ends the process, or does not come back.
#include "base.h"

#include <pthread.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unwind.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <mutex>
#include <stdexcept>
#include <thread>

#ifdef RUST
extern "C" uint8_t rust_panics(size_t index);
#endif

namespace {

[[gnu::noinline]] uint64_t recurse(uint64_t depth) {
    volatile uint8_t frame[4096];
    frame[depth % sizeof frame] = 1;
    if (depth == UINT64_MAX) return 0;
    return recurse(depth + 1) + frame[depth % sizeof frame];
}

[[gnu::noinline]] int big_frame(size_t size) {
    auto *memory = static_cast<volatile char *>(__builtin_alloca(size));
    // From above, page by page, as compilers do it with -fstack-clash-protection.
    for (size_t at = size; at > 0; at -= 4096) memory[at - 1] = 1;
    return memory[0];
}

[[noreturn]] void throw_it() {
    throw std::runtime_error("in a destructor");
}

struct ThrowsAtTheEnd {
    ~ThrowsAtTheEnd() { throw_it(); }
};

int zero() {
    static volatile int value = 0;
    return value;
}

int hidden_number() {
    static volatile int value = 12345;
    return value;
}

void hang(const std::string &how) {
    static std::mutex held;
    volatile bool for_ever = true;
    if (how == "loop") {
        while (for_ever) {
        }
    }
    if (how == "sleep") {
        while (for_ever) sleep(3600);
    }
    if (how == "deadlock") {
        held.lock();
        std::thread([] { held.lock(); }).join();
    }
    if (how == "pipe") {
        int ends[2];
        char byte;
        if (pipe(ends) != 0) abort();
        while (read(ends[0], &byte, 1) < 0) {
        }
    }
}

// Leaves through the host's frames, as longjmp does: no destructor and no handler of them runs.
#if defined(__x86_64__)
struct Frame {
    uintptr_t rbx, rbp, r12, r13, r14, r15, stack, instruction;
    int seen;
    bool is_behind_guard;
};

// Finds the frame behind the host's guard: that is the one which has handlers of exceptions.
_Unwind_Reason_Code walk(_Unwind_Context *context, void *found) {
    auto *frame = static_cast<Frame *>(found);
    frame->seen++;
    if (!frame->is_behind_guard) {
        // The first two are of this file.
        frame->is_behind_guard =
            frame->seen > 2 && _Unwind_GetLanguageSpecificData(context) != nullptr;
        return _URC_NO_REASON;
    }
    frame->rbx = _Unwind_GetGR(context, 3);
    frame->rbp = _Unwind_GetGR(context, 6);
    frame->r12 = _Unwind_GetGR(context, 12);
    frame->r13 = _Unwind_GetGR(context, 13);
    frame->r14 = _Unwind_GetGR(context, 14);
    frame->r15 = _Unwind_GetGR(context, 15);
    frame->stack = _Unwind_GetCFA(context);
    frame->instruction = _Unwind_GetIP(context);
    return _URC_END_OF_STACK;
}

[[noreturn]] void jump(const Frame *frame) {
    __asm__ volatile(
        "movq 0(%0), %%rbx\n movq 16(%0), %%r12\n movq 24(%0), %%r13\n movq 32(%0), %%r14\n"
        "movq 40(%0), %%r15\n movq 56(%0), %%rdx\n movq 48(%0), %%rsp\n movq 8(%0), %%rbp\n"
        "xorl %%eax, %%eax\n jmp *%%rdx\n"
        :
        : "a"(frame)
        : "memory");
    __builtin_unreachable();
}
#endif

void end_process(const std::string &act) {
    if (act == "exit") exit(0);
    if (act == "_exit") _exit(0);
    if (act == "_Exit") _Exit(0);
    if (act == "quick_exit") quick_exit(0);
    if (act == "exit-by-system-call") syscall(SYS_exit_group, 0);
    if (act == "exit-on-own-thread") std::thread([] { exit(0); }).join();
    if (act == "abort") abort();
    if (act == "kill") kill(getpid(), SIGKILL);
    if (act == "term") raise(SIGSEGV);
    if (act == "pthread_exit") pthread_exit(nullptr);
    if (act == "terminate") std::terminate();
}

int32_t fork_copy(Call &call, const std::string &act) {
    pid_t child = fork();
    if (child < 0) return apus_fail(call.error, APUS_FATAL, "fork failed");
    if (child > 0) {
        if (act != "fork-and-return") waitpid(child, nullptr, 0);
        return APUS_OK;
    }
    if (act == "fork-and-exit") exit(0);
    if (act == "fork-and-crash") raise(SIGSEGV);
    return APUS_OK;  // into the host, twice
}

int32_t misbehave(Call &call) {
    const std::string act = call.self->act;
    volatile int *nowhere = reinterpret_cast<volatile int *>(16);
    if (act == "null-pointer") *nowhere = 1;
    if (act == "null-call") reinterpret_cast<void (*)()>(zero())();
    if (act == "recursion") return recurse(0) ? APUS_OK : APUS_FATAL;
    if (act == "alloca") big_frame(64u << 20);
    if (act == "divide") return hidden_number() / zero();
    if (act == "trap") __builtin_trap();
#if defined(__x86_64__)
    if (act == "illegal") __asm__ volatile(".byte 0x06");
#endif
    if (act == "throw") throw std::runtime_error("the process is on fire");
    if (act == "throw-int") throw 42;
    if (act == "throw-in-destructor") ThrowsAtTheEnd at_the_end;
    if (act == "own-thread-crash") {
        std::thread([nowhere] { *nowhere = 1; }).join();
    }
    if (act == "fork-and-return" || act == "fork-and-exit" || act == "fork-and-crash") {
        return fork_copy(call, act);
    }
#if defined(__x86_64__)
    if (act == "jump-over-guard") {
        Frame frame = {};
        _Unwind_Backtrace(walk, &frame);
        jump(&frame);
    }
#endif
#ifdef RUST
    if (act == "rust-panic") return rust_panics(17);
#endif
    end_process(act);
    hang(act);
    return APUS_OK;
}

}  // namespace
