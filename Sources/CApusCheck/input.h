// Copies of what the host gives to a callback, in guarded pages.
#pragma once

#include <string>

#include "CApusCheck.h"
#include "pages.h"

namespace apus_check {

// A batch as the plugin sees it. Payloads longer than a view end where their page ends, each in a
// buffer of its own when there are few of them, all together otherwise.
class Input {
  public:
    // Copies a batch.
    void take(const apus_batch *, const apus_check_rules &);
    const apus_batch *batch() const { return copy; }
    // How many bytes a buffer of the batch has; 0 for one that it has not.
    size_t buffer_bytes(uint32_t buffer) const {
        return buffer < sizes.size() ? sizes[buffer] : 0;
    }
    void retire();

  private:
    void collect(const apus_batch *, const apus_view *, const uint8_t *);
    void place(const apus_batch *, const apus_view *from, const uint8_t *kind, apus_view *to);

    Pages pages;
    apus_batch *copy = nullptr;
    std::vector<size_t> sizes;
    std::vector<uint8_t *> starts;
    size_t long_count = 0;
    size_t long_bytes = 0;
    size_t next = 0;       // of the payloads that have a buffer of their own
    size_t filled = 0;     // of the one that they share otherwise
    bool shares = false;
};

// Bytes of key or value i of a batch.
std::string bytes_of(const apus_batch *, const apus_view *);

}  // namespace apus_check
