#include <stdlib.h>
#include <string.h>

#include "function.h"

// How many arguments of each kind travel in registers.
#if defined(__aarch64__)
#define INTEGER_REGISTERS 8
#else
#define INTEGER_REGISTERS 6
#endif
#define FLOAT_REGISTERS 8

static ffi_type *ffi_type_of(uint8_t type) {
    switch (type) {
    case APUS_TYPE_VOID: return &ffi_type_void;
    case APUS_TYPE_I8: return &ffi_type_sint8;
    case APUS_TYPE_I16: return &ffi_type_sint16;
    case APUS_TYPE_I32: return &ffi_type_sint32;
    case APUS_TYPE_I64: return &ffi_type_sint64;
    case APUS_TYPE_U8:
    case APUS_TYPE_BOOL: return &ffi_type_uint8;
    case APUS_TYPE_U16: return &ffi_type_uint16;
    case APUS_TYPE_U32: return &ffi_type_uint32;
    case APUS_TYPE_U64: return &ffi_type_uint64;
    case APUS_TYPE_F32: return &ffi_type_float;
    case APUS_TYPE_F64: return &ffi_type_double;
    case APUS_TYPE_PTR: return &ffi_type_pointer;
    default: return NULL;
    }
}

static bool is_float(uint8_t type) {
    return type == APUS_TYPE_F32 || type == APUS_TYPE_F64;
}

static bool prepare_trial(apus_function *self, const uint8_t *cells) {
    size_t floats = 0;
    for (size_t i = 0; i < self->cell_count; i++) floats += is_float(cells[i]);
    size_t integers = self->cell_count - floats;
    // Where arguments lie on the stack, further ones would be taken for theirs.
    bool is_in_registers = integers <= INTEGER_REGISTERS && floats <= FLOAT_REGISTERS;
    self->spare_integer_count = is_in_registers ? INTEGER_REGISTERS - integers : 0;
    self->spare_float_count = is_in_registers ? FLOAT_REGISTERS - floats : 0;
    size_t count = self->cell_count;
    memcpy(self->trial_types, self->types, count * sizeof self->types[0]);
    for (size_t i = 0; i < self->spare_integer_count; i++) {
        self->trial_types[count++] = &ffi_type_uint64;
    }
    for (size_t i = 0; i < self->spare_float_count; i++) {
        self->trial_types[count++] = &ffi_type_double;
    }
    return ffi_prep_cif(&self->trial_cif, FFI_DEFAULT_ABI, (unsigned)count,
                        ffi_type_of(self->result), self->trial_types) == FFI_OK;
}

apus_function *apus_function_create(
    void *address, uint8_t result, const uint8_t *cells, size_t cell_count, int32_t strings,
    bool use_ffi) {
    if (cell_count > APUS_FUNCTION_CELLS_MAX || !ffi_type_of(result)) return NULL;
    apus_function *self = calloc(1, sizeof *self);
    if (!self) return NULL;
    self->address = address;
    self->result = result;
    self->strings = strings;
    self->cell_count = cell_count;
    self->loop = use_ffi ? NULL : apus_find_loop(result, cells, cell_count);
    bool is_good = true;
    for (size_t i = 0; i < cell_count; i++) {
        self->types[i] = ffi_type_of(cells[i]);
        is_good = is_good && self->types[i] && cells[i] != APUS_TYPE_VOID;
    }
    is_good = is_good && ffi_prep_cif(&self->cif, FFI_DEFAULT_ABI, (unsigned)cell_count,
                                      ffi_type_of(result), self->types) == FFI_OK;
    if (is_good && prepare_trial(self, cells)) return self;
    free(self);
    return NULL;
}

void apus_function_destroy(apus_function *self) {
    free(self);
}

bool apus_function_uses_ffi(const apus_function *self) {
    return !self->loop;
}

void apus_text_destroy(apus_text *text) {
    free(text->bytes);
    *text = (apus_text){0};
}

// Appends bytes and a zero behind them.
static bool append(apus_text *text, const char *bytes, size_t length) {
    if (text->capacity - text->used < length + 1) {
        size_t capacity = text->capacity ? text->capacity * 2 : 4096;
        while (capacity - text->used < length + 1) capacity *= 2;
        uint8_t *grown = realloc(text->bytes, capacity);
        if (!grown) return false;
        text->bytes = grown;
        text->capacity = capacity;
    }
    memcpy(text->bytes + text->used, bytes, length);
    text->bytes[text->used + length] = 0;
    text->used += length + 1;
    return true;
}

static void run_by_ffi(const apus_function *self, apus_calls *calls) {
    void *arguments[APUS_FUNCTION_CELLS_MAX];
    ffi_cif *cif = (ffi_cif *)&self->cif;  // ffi_call() only reads it
    for (size_t i = calls->at; i < calls->count; i++) {
        const apus_cell *row = calls->rows + i * self->cell_count;
        for (size_t k = 0; k < self->cell_count; k++) arguments[k] = (void *)(row + k);
        calls->at = i;
        ffi_call(cif, FFI_FN(self->address), calls->results + i, arguments);
    }
}

static void run_rows(const apus_function *self, apus_calls *calls) {
    if (self->loop) {
        self->loop(self->address, calls);
    } else {
        run_by_ffi(self, calls);
    }
}

// One call at a time: a borrowed string may be gone with the next call.
static int32_t run_with_strings(const apus_function *self, apus_calls *calls) {
    size_t count = calls->count;
    for (size_t i = calls->at; i < count; i++) {
        calls->at = i;
        calls->count = i + 1;
        run_rows(self, calls);
        calls->count = count;
        const char *string = calls->results[i].ptr;
        calls->results[i].u64 = calls->text->used;
        calls->lengths[i] = APUS_NO_STRING;
        if (!string) continue;
        size_t length = strlen(string);
        bool has_room = append(calls->text, string, length);
        if (self->strings == APUS_STRING_MALLOC) free((void *)string);
        if (!has_room) return -1;
        calls->lengths[i] = length;
    }
    return 0;
}

int32_t apus_function_run(void *context) {
    apus_calls *calls = context;
    const apus_function *self = calls->function;
    if (self->strings != APUS_STRING_NONE) return run_with_strings(self, calls);
    run_rows(self, calls);
    return 0;
}

int32_t apus_function_try(void *context) {
    const apus_trial *trial = context;
    const apus_function *self = trial->function;
    int32_t poison = trial->poison;
    // As addresses these are none that any process has; as numbers of 32 bits they are small.
    const uint64_t integers[2] = {UINT64_C(0xdead000000000001), UINT64_C(0xbeef000000000003)};
    const double floats[2] = {1.25, -3.75};
    apus_cell spare_integer = {.u64 = integers[poison & 1]};
    apus_cell spare_float = {.f64 = floats[poison & 1]};
    void *arguments[APUS_FUNCTION_CELLS_MAX + 16];
    size_t count = 0;
    for (; count < self->cell_count; count++) arguments[count] = (void *)(trial->row + count);
    for (size_t i = 0; i < self->spare_integer_count; i++) arguments[count++] = &spare_integer;
    for (size_t i = 0; i < self->spare_float_count; i++) arguments[count++] = &spare_float;
    ffi_call((ffi_cif *)&self->trial_cif, FFI_FN(self->address), trial->result,
             arguments);
    return 0;
}
