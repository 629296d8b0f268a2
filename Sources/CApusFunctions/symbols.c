// What a loaded library defines: its table of dynamic symbols, found by way of the dynamic linker.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <string.h>

#include "CApusFunctions.h"

typedef struct symbol_table {
    const ElfW(Sym) *symbols;
    const char *names;
    size_t count;
} symbol_table;

// Some libraries have addresses in this table, others offsets from where they were loaded.
static const void *place(const struct link_map *map, ElfW(Addr) value) {
    return (const void *)(value < map->l_addr ? value + map->l_addr : value);
}

// The number of symbols is in no table: it is one more than the last that the hash table has.
static size_t count_by_gnu_hash(const uint32_t *hash) {
    uint32_t bucket_count = hash[0], first = hash[1], bloom_words = hash[2];
    const uint32_t *buckets = hash + 4 + bloom_words * (sizeof(ElfW(Addr)) / 4);
    const uint32_t *chains = buckets + bucket_count;
    uint32_t last = 0;
    for (uint32_t i = 0; i < bucket_count; i++) {
        if (buckets[i] > last) last = buckets[i];
    }
    if (last < first) return first;
    while (!(chains[last - first] & 1)) last++;
    return (size_t)last + 1;
}

static bool find_table(void *handle, symbol_table *table) {
    struct link_map *map = NULL;
    if (dlinfo(handle, RTLD_DI_LINKMAP, &map) != 0 || !map || !map->l_ld) return false;
    *table = (symbol_table){0};
    for (const ElfW(Dyn) *entry = map->l_ld; entry->d_tag != DT_NULL; entry++) {
        switch (entry->d_tag) {
        case DT_SYMTAB: table->symbols = place(map, entry->d_un.d_ptr); break;
        case DT_STRTAB: table->names = place(map, entry->d_un.d_ptr); break;
        case DT_HASH: table->count = ((const uint32_t *)place(map, entry->d_un.d_ptr))[1]; break;
        case DT_GNU_HASH:
            if (!table->count) table->count = count_by_gnu_hash(place(map, entry->d_un.d_ptr));
            break;
        default: break;
        }
    }
    return table->symbols && table->names && table->count;
}

static int32_t kind_of(const ElfW(Sym) *symbol) {
    if (symbol->st_shndx == SHN_UNDEF) return APUS_SYMBOL_MISSING;
    switch (ELF64_ST_TYPE(symbol->st_info)) {
    case STT_FUNC:
    case STT_GNU_IFUNC:
    case STT_NOTYPE: return APUS_SYMBOL_FUNCTION;
    case STT_TLS: return APUS_SYMBOL_THREAD_LOCAL;
    case STT_OBJECT:
    case STT_COMMON: return APUS_SYMBOL_DATA;
    default: return APUS_SYMBOL_MISSING;
    }
}

int32_t apus_symbol_kind(void *handle, const char *name) {
    symbol_table table;
    if (!find_table(handle, &table)) return APUS_SYMBOL_MISSING;
    for (size_t i = 0; i < table.count; i++) {
        int32_t kind = kind_of(table.symbols + i);
        if (kind == APUS_SYMBOL_MISSING) continue;
        if (strcmp(table.names + table.symbols[i].st_name, name) == 0) return kind;
    }
    return APUS_SYMBOL_MISSING;
}

void apus_symbol_each(void *handle, void *context, void (*each)(void *context, const char *name)) {
    symbol_table table;
    if (!find_table(handle, &table)) return;
    for (size_t i = 0; i < table.count; i++) {
        if (kind_of(table.symbols + i) != APUS_SYMBOL_FUNCTION) continue;
        const char *name = table.names + table.symbols[i].st_name;
        if (*name) each(context, name);
    }
}

const char *apus_library_path(void *handle) {
    struct link_map *map = NULL;
    if (dlinfo(handle, RTLD_DI_LINKMAP, &map) != 0 || !map || !map->l_name) return "";
    return map->l_name;
}

const char *apus_library_of(const void *address) {
    Dl_info info;
    return dladdr(address, &info) && info.dli_fname ? info.dli_fname : "";
}
