// Builders of the layer's own, from which the host's are filled after a callback.
#pragma once

#include <string>
#include <vector>

#include "input.h"

namespace apus_check {

struct Instance;

// What a plugin writes to one output during a callback.
class Output {
  public:
    Output(Instance &, uint32_t port, const apus_check_rules &);
    ~Output();
    apus_out *out() { return builder; }
    // Before a callback.
    void begin(uint32_t arena_buffer);
    // After it: checks what was written and gives it to the host's builder.
    void deliver(apus_out *host);
    int32_t more(uint64_t bytes);

  private:
    struct Record {
        bool has_key;
        uint8_t kind;
        int64_t ts;
        std::string key, value;
    };

    void segment(uint64_t bytes);
    void settle();
    bool is_intact();
    bool copy(const apus_view *, const char *column, uint32_t index, std::string &to);

    Instance &instance;
    const apus_check_rules &rules;
    Pages home;   // the struct itself
    Pages pages;  // columns and arena in use
    apus_out *builder;
    uint32_t arena_buffer = 0;
    uint32_t capacity;
    size_t room = 0;
    std::vector<Record> records;
    uint64_t written = 0;
};

}  // namespace apus_check
