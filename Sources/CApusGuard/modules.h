// Which file an address of code belongs to: a table that is made when plugins are loaded, because
// a signal handler cannot ask the dynamic linker.
#pragma once

#include <cstdint>

#include "CApusGuard.h"
#include "report_line.h"

struct apus_module {
    uintptr_t start, end;
    uintptr_t code_start, code_end;
    uintptr_t base;       // what a symbol's value is added to
    const char *name;     // the file
    const char *owner;    // "plugin ./libcount.so" for a plugin's own code, else NULL
};

// Makes the table anew; after something was loaded or unloaded.
void apus_modules_refresh();

// Remembers that a file is a plugin's; before the refresh.
void apus_modules_add_plugin(const char *path, const char *owner);

// The module that an address lies in, or NULL. Safe in a signal handler.
const apus_module *apus_module_of(uintptr_t address);

// Says where an address is: "libcount.so+0x1234". Safe in a signal handler, one thread at a time.
void apus_modules_tell(ReportLine &, uintptr_t address);

// Lists the plugins of this process: "plugin ./a.so, plugin ./b.so". Safe in a signal handler.
void apus_modules_tell_plugins(ReportLine &);
