// Memory that ends at pages that cannot be read.
#pragma once

#include <sys/mman.h>

#include <cstdint>
#include <cstring>
#include <vector>

namespace apus_check {

constexpr size_t page_size = 4096;

inline size_t round_up(size_t n) { return (n + page_size - 1) & ~(page_size - 1); }

// Some blocks of memory, each ending where a page begins that cannot be touched.
//
// First all are added, then they are mapped, filled, and sealed if they are for reading alone.
// When they are retired, touching them is a crash, also for some time after.
class Pages {
  public:
    Pages() = default;
    // With slack, bytes that may be read and written lie behind each block.
    explicit Pages(bool has_slack) : slack(has_slack ? page_size : 0) {}
    Pages(const Pages &) = delete;
    Pages &operator=(const Pages &) = delete;
    ~Pages() { retire(); }

    size_t add(size_t bytes) {
        blocks.push_back({total, bytes});
        total += round_up(bytes) + slack + page_size;
        return blocks.size() - 1;
    }

    void map() {
        if (total == 0) return;
        void *memory = mmap(
            nullptr, total, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (memory == MAP_FAILED) __builtin_trap();  // the validator's own memory ran out
        base = static_cast<uint8_t *>(memory);
        protect(PROT_READ | PROT_WRITE);
    }

    uint8_t *at(size_t index) const {
        const Block &block = blocks[index];
        return base + block.offset + round_up(block.bytes) - block.bytes;
    }

    size_t bytes(size_t index) const { return blocks[index].bytes; }

    void seal() { protect(PROT_READ); }
    void set_slack(bool has_slack) { slack = has_slack ? page_size : 0; }

    bool is_mapped() const { return base != nullptr; }

    // Unreadable from now on; unmapped once some others have been retired.
    void retire();

  private:
    struct Block {
        size_t offset;
        size_t bytes;
    };

    void protect(int how) {
        for (const Block &block : blocks) {
            size_t length = round_up(block.bytes) + slack;
            if (length) mprotect(base + block.offset, length, how);
        }
    }

    std::vector<Block> blocks;
    size_t total = 0;
    size_t slack = 0;
    uint8_t *base = nullptr;
};

}  // namespace apus_check
