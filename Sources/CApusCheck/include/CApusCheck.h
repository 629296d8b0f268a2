// What `apus plugin check` puts between the host and a plugin, in the child that runs one check.
//
// A layer looks to the host as the component that it wraps, and to the component as the host: it
// gives it copies of all input in read-only pages that end at unreadable ones, builders of its
// own, copies of all state, which are taken away when the contract says that they expire, and it
// notes every call. Hooks replace functions of the C library for the plugin alone, by the tables
// through which its file calls them. Nothing of this is in a process that runs jobs.
#ifndef CAPUS_CHECK_H
#define CAPUS_CHECK_H

#include <apus/apus.h>

#ifdef __cplusplus
extern "C" {
#endif

// ---- Layers

// What a layer does besides giving the plugin copies of its input and builders of its own.
typedef struct apus_check_rules {
    uint32_t guards_input;    // input ends at unreadable pages; else some bytes may follow
    uint32_t seals_input;     // input can only be read
    uint32_t guards_output;   // builders end at unreadable pages
    uint32_t expires_state;   // bytes and values of state are copies with an end
    uint32_t struct_change;   // APUS_CHECK_ ...
    uint32_t floor;           // the oldest minor version of a host that the plugin runs on
    uint32_t record_capacity; // of a builder; 0 = 1,024
    uint32_t arena_capacity;  // of a builder; 0 = 64 KiB
    uint32_t limit_at;        // that call of more(), from 1, gives APUS_LIMIT; 0 = none
    uint32_t paints_stack;    // how much stack each callback uses is measured
    uint64_t limit_seed;      // not 0: calls of more() give APUS_LIMIT at random
    uint64_t stop_seed;       // not 0: `stop` is raised at random
} apus_check_rules;

#define APUS_CHECK_AS_IS 0u
#define APUS_CHECK_BIGGER 1u   // as a later host would give them, with bytes that mean nothing
#define APUS_CHECK_SMALLER 2u  // as the oldest host gives them that the plugin says it runs on

// Wraps an operator; a component of another kind comes back as it is. Never freed. Wrapped again,
// it is the same with other rules, for the instances that are created from then on. [ctl]
const apus_component *apus_check_wrap(const apus_component *, const apus_check_rules *);

// What the layers and hooks of the process have counted.
typedef struct apus_check_counts {
    uint64_t callbacks;
    uint64_t host_calls;
    uint64_t more_calls;
    uint64_t limits;            // of those, that gave APUS_LIMIT
    uint64_t stops;             // how often stop was raised
    uint64_t stack_bytes;       // the deepest a callback went
    uint64_t allocations;       // by hooked functions
    uint64_t allocated_bytes;
    uint64_t refused_allocations;
} apus_check_counts;

apus_check_counts apus_check_count(void);

// ---- Violations

// Where violations, and crashes in the making, are told at once; -1 = nowhere.
void apus_check_report_to(int descriptor);
// Notes one: a letter for its kind, see notes.h, then the words. The same text counts once, and at
// most 64 are kept. [any]
void apus_check_violation(const char *text);
// How many there are, and the text of one, which lives as long as the process.
uint32_t apus_check_violation_count(void);
const char *apus_check_violation_text(uint32_t index);
void apus_check_forget_violations(void);

// ---- Traces

// Writes every call across the boundary to a file, each before it is made. 0, or an error number.
int apus_check_trace_to(const char *path);

// ---- Hooks

// Which functions do more than to be counted.
#define APUS_CHECK_HOOK_ALLOCATION 1u  // malloc and its like, and C++'s operator new
#define APUS_CHECK_HOOK_PROCESS 2u     // fork, exec, exit, signals, environment, folder, locale
#define APUS_CHECK_HOOK_BLOCKING 4u    // sleep, connect, fsync and the like
#define APUS_CHECK_HOOK_PRINTING 8u    // standard output

// Notes which libraries are loaded now: those are not the plugin's.
void apus_check_note_libraries(void);
// Hooks the functions of the libraries loaded since. Returns how many places were changed.
uint32_t apus_check_hook(uint32_t hooks);
// Lets the allocation with this number, from 1 and counted from now, fail, and `then_all` those
// behind it; 0 = none. Only allocations in create, open, close and destroy, and in callbacks.
void apus_check_fail_allocation(uint64_t number, int then_all);

// ---- The process

// What a plugin must leave as it is.
#define APUS_CHECK_SETTINGS 1u     // signals, folder, umask, locale, environment, limits, rounding
#define APUS_CHECK_DESCRIPTORS 2u
#define APUS_CHECK_THREADS 4u

// Writes what it is like, in lines, to be compared and shown; cut to the capacity, with a zero
// behind.
void apus_check_describe_process(char *text, uint64_t capacity, uint32_t parts);
uint64_t apus_check_resident_bytes(void);
// What is allocated from the heap, to the byte, as far as the main thread's part goes.
uint64_t apus_check_heap_bytes(void);
// Rounds upwards until it is called with 0.
void apus_check_round_upwards(int is_on);
// Sets the limit of open files; the error number or 0.
int apus_check_limit_descriptors(uint64_t count);
// Makes standard output a file of its own, so that what a plugin prints can be told. Returns a
// copy of the old one, or -1.
int apus_check_divert_output(void);
// Writes text to a descriptor; whoever reads it may have gone.
void apus_check_say(int descriptor, const char *text, uint64_t len);
// How many bytes were printed since; the first of them go to `text`, with a zero behind.
uint64_t apus_check_diverted_output(char *text, uint64_t capacity);

// ---- Loading

// Loads a file and calls its entry function so many times, with a host table that is as much
// larger than that of this version, as a later host's would be, and offers no extensions. 0, or 1:
// it cannot be loaded; 2: NULL was returned; 3: another description came the next time.
int apus_check_entry(
    const char *file, uint32_t surplus, uint32_t times, char *message, uint64_t capacity);
void apus_check_clear_environment(void);

// ---- Calls without an instance of the host

// Whose code it is, for reports of crashes: "plugin aircraft 1.0.0". Kept for ever.
void apus_check_set_owner(const char *owner);

// create and destroy as the host calls them, with what they get in guarded pages. Violations tell
// what is wrong with the error. The result is create's; the error has a zero behind its message.
typedef struct apus_check_creation {
    int32_t code;
    uint32_t message_len;
    void *self;
    char message[488];
} apus_check_creation;

void apus_check_create(
    const apus_component *, const void *configuration, uint64_t len, apus_check_creation *);
void apus_check_destroy(const apus_component *, void *self);

// A call of a migration function.
typedef struct apus_check_migration {
    int32_t code;
    uint32_t message_len;
    uint8_t *bytes;  // what was written; to be given to apus_check_free
    uint64_t len;
    char message[488];
} apus_check_migration;

void apus_check_migrate(
    apus_migrate, uint32_t from, uint32_t to, apus_bytes key, apus_bytes entry, apus_bytes value,
    apus_check_migration *);
void apus_check_free(void *);

#ifdef __cplusplus
}
#endif

#endif
