// A crash report is one line, made of text that lay ready: the handler only calls write().
// It never resumes: the default action of the signal follows.
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <unistd.h>

#include "running_call.h"

namespace {

const int crash_signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT};

const char *name_of(int signal_number) {
    switch (signal_number) {
        case SIGSEGV: return "SIGSEGV (access to memory that is not there, or stack overflow)";
        case SIGBUS: return "SIGBUS (access behind the end of a mapped file)";
        case SIGILL: return "SIGILL (a trap, for example a failed check in Swift)";
        case SIGFPE: return "SIGFPE (integer division by zero or overflow)";
        case SIGTRAP: return "SIGTRAP (a trap)";
        default: return "SIGABRT (abort, for example an uncaught panic or heap corruption)";
    }
}

void say(const char *text) {
    ssize_t written = write(STDERR_FILENO, text, strlen(text));
    (void)written;
}

void report(int signal_number) {
    const apus_guard_site *site = apus_running_call.site;
    say("\napus: crash: ");
    say(name_of(signal_number));
    if (site) {
        say(" in ");
        say(site->owner);
        say(", callback ");
        say(apus_running_call.callback);
    } else {
        say(" outside of any plugin");
    }
    say("\n");
    raise(signal_number);  // SA_RESETHAND: the default action this time
}

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

void apus_guard_install_crash_report(void) {
    apus_guard_prepare_thread();
    struct sigaction action = {};
    action.sa_handler = report;
    action.sa_flags = SA_ONSTACK | SA_RESETHAND | SA_NODEFER;
    for (int signal_number : crash_signals) sigaction(signal_number, &action, nullptr);
}

void apus_guard_prepare_thread(void) {
    static thread_local SignalStack stack;
    stack.use();
}
