// An instance of a wrapped component.
#pragma once

#include <pthread.h>

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "input.h"
#include "notes.h"
#include "output.h"

namespace apus_check {

struct Wrapped {
    apus_component component;  // what the host sees
    const apus_component *original;
    apus_check_rules rules;
    apus_operator_vt functions;
};

// Copies of bytes of state, which the plugin may use until they expire.
class Leases {
  public:
    ~Leases() { retire(); }
    // `len` bytes at an address that is a multiple of 8, with marks in front and behind.
    uint8_t *lease(const void *bytes, size_t len, const char *what);
    // Checks the marks; touching a lease is a crash from now on.
    void retire();
    void check();

  private:
    struct Lease {
        uint8_t *bytes;
        size_t len;
        const char *what;
    };
    std::vector<std::unique_ptr<Pages>> chunks;
    uint8_t *next = nullptr;
    size_t left = 0;
    std::vector<Lease> leases;
};

// A value that the plugin writes through a pointer.
struct Borrowed {
    uint8_t *copy;
    void *original;
    size_t len;
};

struct Instance {
    Instance(const Wrapped &, uint64_t number);
    ~Instance();

    const Wrapped &wrapped;
    const apus_check_rules own_rules;  // those when it was created
    uint64_t number;
    void *self = nullptr;

    Pages home;
    apus_ctx *ctx = nullptr;
    apus_ctx shadow = {};
    apus_error *error = nullptr;
    apus_ctx *host = nullptr;
    std::vector<std::unique_ptr<Output>> outputs;
    std::vector<apus_out *> table;
    Input input;
    Pages extra;  // struct and columns of timers

    bool is_busy = false;
    pthread_t thread = {};
    const char *callback = "";
    const apus_batch *batch = nullptr;  // the host's, in hand
    uint32_t stop = 0;
    uint32_t calls_until_stop = 0;  // 0 = not any more in this callback
    bool was_stopped = false;
    uint64_t stop_random = 0;
    uint64_t limit_random = 0;
    bool may_limit = true;
    bool was_limited = false;
    uint32_t more_count = 0;

    Leases leases;
    std::unordered_map<std::string, std::vector<std::pair<uint8_t *, size_t>>> readable;
    std::unordered_map<std::string, Borrowed> writable;

    const apus_check_rules &rules() const { return own_rules; }
    size_t context_bytes() const;
    void prepare(apus_ctx *host);
    void enter(const char *callback, apus_ctx *host, const apus_batch *);
    void leave(int32_t code);

    // Identifies a slot of a record's key, or a list or map without key.
    std::string place(char kind, uint32_t slot, uint32_t rec) const;
    void lend(const std::string &place, apus_bytes *bytes, const char *what);
    void expire(const std::string &place);
    void write_back(const std::string &place);
    void write_all_back();
    size_t fixed_length(uint32_t slot) const;
};

// The instance of a context that a plugin hands to a function of the host; nullptr, and a
// violation, when the call may not be made like that.
Instance *caller(apus_ctx *, const char *function);
Instance *instance_of(const apus_ctx *);
void enlist(Instance *, bool is_there);

extern const apus_state_api state_functions;
extern const apus_timer_api timer_functions;
extern const apus_broadcast_api broadcast_functions;
extern const apus_operator_state_api operator_state_functions;

inline uint64_t next_random(uint64_t &state) {
    uint64_t z = (state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

}  // namespace apus_check
