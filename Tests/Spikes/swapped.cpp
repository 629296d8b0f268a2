// A plugin in C++ that uses what plugins use: containers, text, a thread's own state, exceptions.
#include <map>
#include <stdexcept>
#include <string>

static thread_local std::map<std::string, int> own;

extern "C" __attribute__((visibility("default"))) int spike_value() {
    try {
        if (own["a name that is longer than the buffer in place"]++ == 0) {
            throw std::runtime_error("first");
        }
    } catch (const std::exception &error) {
        return error.what()[0];
    }
    return 0;
}
