// A crash report is one line, written at once, by the thread that crashes first. The handler uses
// memory that lay ready and write(), nothing else; it never resumes: the signal's default action
// follows.
#include <atomic>
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

// A line that is put together without memory from the heap.
class Line {
  public:
    Line &operator<<(const char *text) {
        for (; *text && length < sizeof bytes; text++) bytes[length++] = *text;
        return *this;
    }
    void write_out() const {
        ssize_t written = write(STDERR_FILENO, bytes, length);
        (void)written;
    }

  private:
    char bytes[1024];
    size_t length = 0;
};

void name_owner(Line &line) {
    const apus_guard_site *site = apus_running_call.site;
    if (site) {
        line << " in " << site->owner << ", callback " << apus_running_call.callback;
    } else {
        line << " outside of any plugin";
    }
}

std::atomic_flag is_reporting = ATOMIC_FLAG_INIT;
thread_local bool is_reporter = false;

// The subtasks of an operator often crash at the same instant: the first one reports, and the
// others wait until it has ended the process.
void report(int signal_number) {
    if (!is_reporter && is_reporting.test_and_set()) {
        for (;;) pause();
    }
    if (!is_reporter) {
        is_reporter = true;
        Line line;
        line << "\napus: crash: " << name_of(signal_number);
        name_owner(line);
        line << "\n";
        line.write_out();
    }
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

// A plugin that calls exit() would end the job as if it had succeeded.
void report_exit() {
    if (!apus_running_call.site) return;
    Line line;
    line << "\napus: crash: exit() was called";
    name_owner(line);
    line << "\n";
    line.write_out();
    _exit(1);
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
    action.sa_flags = SA_ONSTACK | SA_NODEFER;
    for (int signal_number : crash_signals) sigaction(signal_number, &action, nullptr);
    atexit(report_exit);
}

void apus_guard_prepare_thread(void) {
    static thread_local SignalStack stack;
    stack.use();
}
