// Functions of C++ for tests of function operators.
#include <cstdint>
#include <stdexcept>
#include <string>

#define EXPORT extern "C" __attribute__((visibility("default")))

EXPORT int64_t fussy(int64_t x) {
    if (x < 0) throw std::invalid_argument("negative: " + std::to_string(x));
    return x + 1;
}

EXPORT void fussy_all(const int64_t *x, int64_t *out, int64_t n) {
    for (int64_t i = 0; i < n; i++) out[i] = fussy(x[i]);
}

EXPORT const char *fussy_text(const char *text) {
    static std::string copy;
    if (*text == '!') throw std::runtime_error("an exclamation");
    copy = std::string("<") + text + ">";
    return copy.c_str();
}

EXPORT double five(double a, int32_t b, double c, int32_t d, double e) {
    if (b == 13) throw 13;
    return a + b + c + d + e;
}

// Not extern "C".
__attribute__((visibility("default"))) int64_t mangled(int64_t x) { return x; }
