// Lines of a report that are put together without memory from the heap, for signal handlers.
#pragma once

#include <unistd.h>

#include <cstddef>
#include <cstdint>

class ReportLine {
  public:
    struct Hex {
        uint64_t value;
    };

    ReportLine &operator<<(const char *text) {
        for (; text && *text && length < sizeof bytes - 1; text++) bytes[length++] = *text;
        return *this;
    }

    ReportLine &operator<<(uint64_t number) {
        char digits[24];
        size_t at = sizeof digits - 1;
        digits[at] = 0;
        do {
            digits[--at] = static_cast<char>('0' + number % 10);
            number /= 10;
        } while (number);
        return *this << digits + at;
    }

    ReportLine &operator<<(Hex hex) {
        char digits[20];
        size_t at = sizeof digits - 1;
        digits[at] = 0;
        do {
            digits[--at] = "0123456789abcdef"[hex.value & 15];
            hex.value >>= 4;
        } while (hex.value);
        return *this << "0x" << digits + at;
    }

    // Tenths of seconds, as "1.5".
    ReportLine &seconds(uint64_t nanoseconds) {
        uint64_t tenths = nanoseconds / 100'000'000;
        return *this << tenths / 10 << "." << tenths % 10;
    }

    // All at once, so that lines of other threads do not come in between.
    void write_out() const {
        size_t done = 0;
        while (done < length) {
            ssize_t written = write(STDERR_FILENO, bytes + done, length - done);
            if (written <= 0) return;
            done += static_cast<size_t>(written);
        }
    }

    // Zero-terminated.
    const char *text() {
        bytes[length] = 0;
        return bytes;
    }

    // Takes the end of the last line away.
    void strip_end() {
        if (length && bytes[length - 1] == '\n') length--;
    }

  private:
    char bytes[4096];
    size_t length = 0;
};
