// What only C++ does wrong.
#include <cstdio>
#include <stdexcept>
#include <string>

extern "C" void throw_something() { throw std::runtime_error("this version does not like it"); }

// A static of an inline function is STB_GNU_UNIQUE when a compiler makes it so, and a destructor of
// the thread's keeps the library in the process.
inline std::string &shared_by_all_versions() {
    static std::string text = "as the first version left it";
    return text;
}

namespace {

struct AtEndOfThread {
    std::string text = "something to free";
    ~AtEndOfThread() { text.clear(); }
};

thread_local AtEndOfThread at_end_of_thread;

}  // namespace

extern "C" void stay_resident() {
    shared_by_all_versions() += ", touched";
    at_end_of_thread.text += ", touched";
}
