#include "modules.h"

#include <fcntl.h>
#include <link.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <mutex>
#include <string>
#include <vector>

namespace {

// Tables and names are never freed: a signal handler may read them at any time.
struct Table {
    std::vector<apus_module> modules;
    std::vector<const char *> plugins;
};
std::atomic<const Table *> current{nullptr};

struct Plugin {
    std::string path;
    const char *owner;
};
std::mutex &lock() {
    static auto *made = new std::mutex;
    return *made;
}
std::vector<Plugin> &plugins() {
    static auto *made = new std::vector<Plugin>;
    return *made;
}

const char *own_path() {
    static char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    path[n > 0 ? n : 0] = 0;
    return path;
}

int add(dl_phdr_info *info, size_t, void *context) {
    auto *table = static_cast<Table *>(context);
    static const char *program = own_path();
    apus_module module = {
        UINTPTR_MAX, 0, UINTPTR_MAX, 0, info->dlpi_addr, nullptr, nullptr};
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) &segment = info->dlpi_phdr[i];
        if (segment.p_type != PT_LOAD) continue;
        uintptr_t start = info->dlpi_addr + segment.p_vaddr;
        if (start < module.start) module.start = start;
        uintptr_t end = start + segment.p_memsz;
        if (end > module.end) module.end = end;
        if (!(segment.p_flags & PF_X)) continue;
        if (start < module.code_start) module.code_start = start;
        if (end > module.code_end) module.code_end = end;
    }
    if (module.end <= module.start) return 0;
    const char *name = info->dlpi_name && *info->dlpi_name ? info->dlpi_name : program;
    module.name = strdup(name);
    for (const Plugin &plugin : plugins()) {
        if (plugin.path == name) module.owner = plugin.owner;
    }
    table->modules.push_back(module);
    return 0;
}

const char *last_part(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

uint64_t hexadecimal(const char *&at) {
    uint64_t value = 0;
    for (;; at++) {
        int digit;
        if (*at >= '0' && *at <= '9') digit = *at - '0';
        else if (*at >= 'a' && *at <= 'f') digit = *at - 'a' + 10;
        else return value;
        value = value * 16 + static_cast<uint64_t>(digit);
    }
}

// One line of /proc/self/maps: whether the address lies in it, and then it is told.
bool tell_mapping(ReportLine &line, const char *text, uintptr_t address) {
    const char *at = text;
    uint64_t start = hexadecimal(at);
    if (*at++ != '-') return false;
    uint64_t end = hexadecimal(at);
    if (address < start || address >= end) return false;
    if (strlen(at) < 6) return false;
    at += 6;  // " r-xp "
    uint64_t offset = hexadecimal(at);
    const char *path = strchr(at, '/');
    if (!path) return false;
    line << last_part(path) << "+" << ReportLine::Hex{address - start + offset};
    return true;
}

// What is not in the table: a file that is being loaded, or that a plugin has loaded. Safe in a
// signal handler.
void tell_by_map(ReportLine &line, uintptr_t address) {
    static char text[16 << 10];
    int file = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    size_t length = 0;
    bool is_found = false;
    while (file >= 0 && !is_found) {
        ssize_t got = read(file, text + length, sizeof text - 1 - length);
        if (got <= 0) break;
        length += static_cast<size_t>(got);
        text[length] = 0;
        char *start = text;
        for (char *end; !is_found && (end = strchr(start, '\n')); start = end + 1) {
            *end = 0;
            is_found = tell_mapping(line, start, address);
        }
        length -= static_cast<size_t>(start - text);
        memmove(text, start, length);
    }
    if (file >= 0) close(file);
    if (!is_found) line << ReportLine::Hex{address} << " (in no file that is loaded)";
}

}  // namespace

void apus_modules_add_plugin(const char *path, const char *owner) {
    std::lock_guard<std::mutex> guard(lock());
    for (Plugin &plugin : plugins()) {
        if (plugin.path == path) {
            plugin.owner = strdup(owner);
            return;
        }
    }
    plugins().push_back({path, strdup(owner)});
}

void apus_modules_refresh() {
    std::lock_guard<std::mutex> guard(lock());
    auto *table = new Table;
    dl_iterate_phdr(add, table);
    for (const apus_module &module : table->modules) {
        if (module.owner) table->plugins.push_back(module.owner);
    }
    // Releasing: who reads the pointer also reads the table.
    current.store(table, std::memory_order_release);
}

const apus_module *apus_module_of(uintptr_t address) {
    const Table *table = current.load(std::memory_order_acquire);
    if (!table) return nullptr;
    for (const apus_module &module : table->modules) {
        if (address >= module.start && address < module.end) return &module;
    }
    return nullptr;
}

void apus_modules_tell(ReportLine &line, uintptr_t address) {
    const apus_module *module = apus_module_of(address);
    if (!module) {
        tell_by_map(line, address);
        return;
    }
    // "plugin ./libcount.so" -> "libcount.so": the file as the user knows it, not our copy of it.
    line << last_part(module->owner ? module->owner : module->name) << "+"
         << ReportLine::Hex{address - module->base};
}

void apus_modules_tell_plugins(ReportLine &line) {
    const Table *table = current.load(std::memory_order_acquire);
    if (!table || table->plugins.empty()) {
        line << "none";
        return;
    }
    const char *separator = "";
    for (const char *plugin : table->plugins) {
        line << separator << plugin;
        separator = ", ";
    }
}
