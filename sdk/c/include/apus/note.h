// A note in the file that says what a plugin was built for.
//
// The host reads it before any code of the file runs, so a file for another version is refused with
// both versions named. A plugin has exactly one: write, once, in one of its source files
//
//     APUS_PLUGIN_NOTE(APUS_LANGUAGE_C, 0);
//
// In the file it is an ELF note in section .note.apus, owner "Apus", type 1, whose descriptor is
// an apus_note. ABI 0.1 and 0.2 had none; a plugin that says 0.3 or later must have one.
#ifndef APUS_NOTE_H
#define APUS_NOTE_H

#include "apus/abi.h"
#include "apus/layout.h"

#define APUS_NOTE_SECTION ".note.apus"
#define APUS_NOTE_OWNER "Apus"
#define APUS_NOTE_TYPE 1u

// Languages of plugins.
#define APUS_LANGUAGE_C 1
#define APUS_LANGUAGE_CXX 2
#define APUS_LANGUAGE_SWIFT 3
#define APUS_LANGUAGE_RUST 4
#define APUS_LANGUAGE_GO 5
#define APUS_LANGUAGE_ZIG 6

// Flags of a note.
#define APUS_NOTE_ONE_RUNTIME 1u      // a process can hold one such library only, as with Go
#define APUS_NOTE_NEEDS_ISOLATION 2u  // wants a process of its own; this host has none to give

// The oldest minor version of hosts that the plugin promises to run on. A plugin that can do
// without what is new defines it before it includes the headers, and asks with APUS_HAS.
#ifndef APUS_ABI_MINOR_FLOOR
#define APUS_ABI_MINOR_FLOOR 1
#endif

// 64 bytes; frozen.
typedef struct apus_note {
    uint32_t size;             // 64
    uint16_t abi_major;        // of the headers it was compiled with
    uint16_t abi_minor;
    uint16_t abi_minor_floor;  // the oldest minor of a host that it runs on
    uint16_t language;         // APUS_LANGUAGE_
    uint32_t sdk_version;      // major << 16 | minor << 8 | patch
    uint32_t flags;            // APUS_NOTE_ flags
    uint8_t layout_id[16];     // APUS_LAYOUT_ID: the layout of all structs of those headers
    uint8_t zero[28];
} apus_note;

// The note as it lies in the file.
typedef struct apus_elf_note {
    uint32_t name_size;
    uint32_t descriptor_size;
    uint32_t type;
    char name[8];  // "Apus" and zeros
    apus_note note;
} apus_elf_note;

#define APUS_SDK_VERSION ((APUS_ABI_MAJOR << 16) | (APUS_ABI_MINOR << 8))

// Puts the note into the file.
#define APUS_PLUGIN_NOTE(language, flags) APUS_PLUGIN_NOTE_OF(language, APUS_SDK_VERSION, flags)

// The same for an SDK with a version of its own.
#define APUS_PLUGIN_NOTE_OF(language, sdk_version, flags)                                      \
    __attribute__((section(APUS_NOTE_SECTION), used, aligned(4))) static const apus_elf_note   \
        apus_plugin_note = {5, sizeof(apus_note), APUS_NOTE_TYPE, APUS_NOTE_OWNER,             \
                            {sizeof(apus_note), APUS_ABI_MAJOR, APUS_ABI_MINOR,                \
                             APUS_ABI_MINOR_FLOOR, (language), (sdk_version), (flags),         \
                             APUS_LAYOUT_ID, {0}}}

#endif
