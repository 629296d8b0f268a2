// The entry function as other hosts would call it.
#include <dlfcn.h>
#include <stdlib.h>

#include <string>

#include "notes.h"
#include "pages.h"

namespace {

using entry_function = const apus_plugin *(*)(const apus_host *, apus_error *);

void drop_log(uint64_t, uint32_t, const char *, uint64_t) {}

const void *no_extension(const char *) { return nullptr; }

int tell(char *message, uint64_t capacity, int code, const std::string &text) {
    snprintf(message, capacity, "%s", text.c_str());
    return code;
}

}  // namespace

namespace {

bool is_same(const apus_str &a, const apus_str &b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

// Whether two descriptions say the same; they need not lie at the same place.
bool is_same(const apus_plugin &a, const apus_plugin &b) {
    if (&a == &b) return true;
    if (!is_same(a.id, b.id) || !is_same(a.version, b.version) || a.size != b.size
        || a.abi_minor != b.abi_minor || a.component_count != b.component_count) {
        return false;
    }
    for (uint32_t i = 0; i < a.component_count; i++) {
        const apus_component &one = *a.components[i], &other = *b.components[i];
        if (!is_same(one.id, other.id) || one.kind != other.kind || one.flags != other.flags
            || one.state_count != other.state_count || one.timer_count != other.timer_count
            || one.output_count != other.output_count || one.input_count != other.input_count) {
            return false;
        }
    }
    return true;
}

}  // namespace

int apus_check_entry(
    const char *file, uint32_t surplus, uint32_t times, char *message, uint64_t capacity) {
    void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    if (!library) return tell(message, capacity, 1, dlerror());
    auto entry = reinterpret_cast<entry_function>(dlsym(library, APUS_ENTRY_NAME));
    if (!entry) return tell(message, capacity, 1, "there is no " APUS_ENTRY_NAME);
    static const uint32_t level = APUS_LOG_ERROR;
    // Kept: a plugin may go on using it.
    auto *pages = new apus_check::Pages;
    size_t block = pages->add(sizeof(apus_host) + surplus);
    pages->map();
    auto *host = reinterpret_cast<apus_host *>(pages->at(block));
    memset(static_cast<void *>(host), 0xAA, sizeof *host + surplus);
    *host = {};
    host->size = static_cast<uint32_t>(sizeof *host + surplus);
    host->major = APUS_ABI_MAJOR;
    host->minor = surplus ? APUS_ABI_MINOR + 1 : APUS_ABI_MINOR;
    host->log_level = &level;
    host->log = drop_log;
    host->get_extension = no_extension;
    host->name = APUS_STR("apus");
    host->version = APUS_STR("99.0.0");
    pages->seal();
    const apus_plugin *first = nullptr;
    for (uint32_t i = 0; i < times; i++) {
        apus_error error = {};
        error.size = sizeof error;
        const apus_plugin *plugin = entry(host, &error);
        std::string said(error.message, error.len < 480 ? error.len : 480);
        if (!plugin) return tell(message, capacity, 2, "it returned NULL: " + said);
        if (first && !is_same(*plugin, *first)) {
            return tell(message, capacity, 3, "it returned another description each time");
        }
        first = plugin;
    }
    return tell(message, capacity, 0, "");
}

void apus_check_clear_environment(void) {
    clearenv();
}
