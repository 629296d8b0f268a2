// A crash report is a few lines, written at once, by the thread that crashes first. The handler
// uses memory that lay ready and write(), nothing else; it never resumes: the signal's default
// action follows.
#include "crash_report.h"

#include <ucontext.h>

#include <atomic>
#include <cstdlib>
#include <cstring>

#include "modules.h"
#include "process_watch.h"

namespace {

std::atomic_flag is_reporting = ATOMIC_FLAG_INIT;
thread_local bool is_reporter = false;

struct Registers {
    uintptr_t instruction = 0;
    uintptr_t stack = 0;
};

Registers registers_of(void *context) {
    Registers found;
    auto *machine = &static_cast<ucontext_t *>(context)->uc_mcontext;
#if defined(__x86_64__)
    found.instruction = static_cast<uintptr_t>(machine->gregs[REG_RIP]);
    found.stack = static_cast<uintptr_t>(machine->gregs[REG_RSP]);
#elif defined(__aarch64__)
    found.instruction = machine->pc;
    found.stack = machine->sp;
#endif
    return found;
}

bool is_sent_by_kernel(const siginfo_t *info) {
    return info->si_code > 0;
}

// Whether the thread has used up its stack: what it touched, or where its stack pointer stands,
// lies below the stack. Large frames can jump over the guard page.
bool is_stack_overflow(int number, const siginfo_t *info, const Registers &registers) {
    const apus_running &own = apus_running_call;
    if (number != SIGSEGV || !is_sent_by_kernel(info) || !own.stack_low) return false;
    constexpr uintptr_t near = 64 << 10;
    auto address = reinterpret_cast<uintptr_t>(info->si_addr);
    bool is_beyond = registers.stack < own.stack_low + 4096
                     && registers.stack + (1ull << 30) > own.stack_low;
    bool is_near = address < own.stack_low + 4096 && address + near > own.stack_low - near;
    // The main thread's stack ends where the system says so, which may be above the computed end.
    bool is_at_pointer = address + near > registers.stack && address < registers.stack + near
                         && address < own.stack_high && registers.stack < own.stack_high
                         && registers.stack > own.stack_low - near;
    return is_beyond || is_near || is_at_pointer;
}

// ud2 and brk are what compilers write for a failed check; other bytes are an instruction that
// this processor does not have.
bool is_trap(const Registers &registers) {
    const auto *code = reinterpret_cast<const uint8_t *>(registers.instruction);
    if (!apus_module_of(registers.instruction)) return true;
#if defined(__x86_64__)
    return code[0] == 0x0f && (code[1] == 0x0b || code[1] == 0xb9);
#else
    return code[3] == 0x00 || code[3] == 0xd4;
#endif
}

const char *meaning_of(int number, const siginfo_t *info, const Registers &registers) {
    switch (number) {
        case SIGSEGV:
            return is_stack_overflow(number, info, registers)
                       ? "SIGSEGV (stack overflow)"
                       : "SIGSEGV (access to memory that is not there)";
        case SIGBUS: return "SIGBUS (access behind the end of a mapped file)";
        case SIGILL:
            return !is_sent_by_kernel(info) || is_trap(registers)
                       ? "SIGILL (a trap, for example a failed check in Swift)"
                       : "SIGILL (illegal instruction: built for another CPU?)";
        case SIGFPE: return "SIGFPE (integer division by zero or overflow)";
        case SIGTRAP: return "SIGTRAP (a trap)";
        default: return "SIGABRT (abort, for example an uncaught panic or heap corruption)";
    }
}

void tell_place(
    ReportLine &line, int number, const siginfo_t *info, const Registers &registers) {
    if (!is_sent_by_kernel(info)) {
        line << "apus:   sent by process " << static_cast<uint64_t>(info->si_pid) << "\n";
        if (number != SIGABRT) return;
    }
    line << "apus:   at ";
    apus_modules_tell(line, registers.instruction);
    if (number == SIGSEGV || number == SIGBUS) {
        line << ", which used address "
             << ReportLine::Hex{reinterpret_cast<uintptr_t>(info->si_addr)};
    }
    line << "\n";
}

// Memory may have been damaged by another plugin, long before.
void tell_suspects(ReportLine &line, int number, const Registers &registers) {
    const apus_module *module = apus_module_of(registers.instruction);
    if (apus_running_call.site && module && module->owner && number != SIGABRT) return;
    if (!apus_running_call.site && module && module->owner) {
        line << "apus:   the code is that of " << module->owner
             << ", on a thread that is not the host's\n";
        return;
    }
    line << "apus:   plugins in this process, any of which may have damaged memory before: ";
    apus_modules_tell_plugins(line);
    line << "; build with -fsanitize=address to find out\n";
}

}  // namespace

uintptr_t apus_interrupted_at(void *context) {
    return registers_of(context).instruction;
}

bool apus_crash_begin_report() {
    if (is_reporter) return false;
    if (is_reporting.test_and_set()) {
        for (;;) pause();
    }
    is_reporter = true;
    return true;
}

void apus_crash_tell_owner(ReportLine &line, const apus_guard_site *site, const char *callback) {
    if (site) line << " in " << site->owner << ", callback " << callback;
    else line << " outside of any plugin";
}

void apus_crash_tell_call(ReportLine &line, const apus_guard_site *site, uint32_t count) {
    if (!site || (!site->content && !count)) return;
    line << "apus:   ";
    if (site->content) line << "content " << site->content << (count ? "; " : "");
    if (count) {
        line << count << " records in hand, from number "
             << static_cast<uint64_t>(site->ctx ? site->ctx->at : 0) << " on";
    }
    line << "\n";
}

// The subtasks of an operator often crash at the same instant: the first one reports, and the
// others wait until it has ended the process.
void apus_crash_handler(int number, siginfo_t *info, void *context) {
    if (apus_crash_begin_report()) {
        const apus_running &own = apus_running_call;
        Registers registers = registers_of(context);
        ReportLine line;
        line << "\napus: crash: " << meaning_of(number, info, registers);
        apus_crash_tell_owner(line, own.site, own.callback);
        line << "\n";
        if (own.reason) line << "apus:   because of " << own.reason << "\n";
        apus_crash_tell_call(line, own.site, own.count);
        tell_place(line, number, info, registers);
        tell_suspects(line, number, registers);
        line.write_out();
        // Last, because a damaged stack may make it crash: then the handler begins again.
        ReportLine stack;
        apus_frames frames;
        apus_frames_here(frames, registers.instruction);
        apus_frames_tell(stack, frames);
        stack.write_out();
    }
    signal(number, SIG_DFL);
    raise(number);
}

const char *apus_crash_signal_name(int number) {
    switch (number) {
        case SIGSEGV: return "SIGSEGV";
        case SIGBUS: return "SIGBUS";
        case SIGILL: return "SIGILL";
        case SIGFPE: return "SIGFPE";
        case SIGTRAP: return "SIGTRAP";
        default: return "SIGABRT";
    }
}

void apus_crash_install_handler(int number) {
    struct sigaction action = {};
    action.sa_sigaction = apus_crash_handler;
    action.sa_flags = SA_ONSTACK | SA_NODEFER | SA_SIGINFO;
    sigaction(number, &action, nullptr);
}

void apus_guard_install_crash_report(void) {
    apus_guard_prepare_thread();
    apus_modules_refresh();
    apus_sample_prepare();
    for (int number : apus_crash_signals) apus_crash_install_handler(number);
    apus_exits_prepare();
    apus_process_remember();
}

void apus_guard_refresh_modules(void) {
    apus_modules_refresh();
}

namespace {

// The signal stack of a thread: taken back before it is freed.
class SignalStack {
  public:
    void use() {
        if (memory) return;
        memory = malloc(size);
        if (!memory) return;  // a stack overflow goes without a report then
        stack_t stack = {};
        stack.ss_sp = memory;
        stack.ss_size = size;
        sigaltstack(&stack, nullptr);
    }
    ~SignalStack() {
        if (!memory) return;
        stack_t none = {};
        none.ss_flags = SS_DISABLE;
        none.ss_size = size;
        sigaltstack(&none, nullptr);
        free(memory);
    }

  private:
    static constexpr size_t size = 64 * 1024;
    void *memory = nullptr;
};

}  // namespace

void apus_guard_prepare_thread(void) {
    static thread_local SignalStack stack;
    stack.use();
    apus_guard_enlist();
}
