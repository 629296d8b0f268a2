// dlclose() once more: plugins are bound to this one, because the program comes first. A plugin may
// close what it has opened, but not itself or another plugin, whose code the host still calls.
#include <dlfcn.h>
#include <link.h>

#include "crash_report.h"
#include "modules.h"
#include "process_watch.h"

namespace {

// Whether the handle is that of a plugin's own file.
const apus_module *plugin_of(void *handle) {
    link_map *map = nullptr;
    if (dlinfo(handle, RTLD_DI_LINKMAP, &map) != 0 || !map || !map->l_ld) return nullptr;
    const apus_module *module = apus_module_of(reinterpret_cast<uintptr_t>(map->l_ld));
    return module && module->owner ? module : nullptr;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) int dlclose(void *handle) {
    using function = int(void *);
    static auto *const original = reinterpret_cast<function *>(dlsym(RTLD_NEXT, "dlclose"));
    const apus_module *caller =
        apus_module_of(reinterpret_cast<uintptr_t>(__builtin_return_address(0)));
    if (caller && caller->owner) {
        if (const apus_module *plugin = plugin_of(handle)) {
            ReportLine line;
            line << "called dlclose() on " << plugin->owner
                 << ", whose code is in use; it stays. The host unloads plugins";
            const apus_running &own = apus_running_call;
            apus_guard_note(own.site, own.callback, line.text());
            return 0;
        }
    }
    return original(handle);
}
