#include "running_call.h"

#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <mutex>

__thread apus_running apus_running_call = {};

namespace {

std::mutex &list_lock() {
    static auto *lock = new std::mutex;  // never destroyed: threads may end after main has
    return *lock;
}
apus_running *first = nullptr;

// Takes the thread off the list when it ends.
struct Enlisted {
    bool is_in_use = false;
    ~Enlisted() {
        std::lock_guard<std::mutex> guard(list_lock());
        apus_running &own = apus_running_call;
        if (!own.is_listed) return;
        if (own.previous) own.previous->next = own.next;
        else first = own.next;
        if (own.next) own.next->previous = own.previous;
        own.is_listed = false;
    }
};
thread_local Enlisted enlisted;

}  // namespace

void apus_guard_enlist() {
    apus_running &own = apus_running_call;
    if (own.is_listed) return;
    enlisted.is_in_use = true;  // so that its destructor runs
    own.thread = static_cast<pid_t>(syscall(SYS_gettid));
    pthread_attr_t attributes;
    if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
        void *low = nullptr;
        size_t size = 0;
        if (pthread_attr_getstack(&attributes, &low, &size) == 0) {
            own.stack_low = reinterpret_cast<uintptr_t>(low);
            own.stack_high = own.stack_low + size;
        }
        pthread_attr_destroy(&attributes);
    }
    std::lock_guard<std::mutex> guard(list_lock());
    own.next = first;
    own.previous = nullptr;
    if (first) first->previous = &own;
    first = &own;
    own.is_listed = true;
}

void apus_guard_each_thread(void (*body)(apus_running *, void *), void *context) {
    std::lock_guard<std::mutex> guard(list_lock());
    for (apus_running *at = first; at; at = at->next) body(at, context);
}
