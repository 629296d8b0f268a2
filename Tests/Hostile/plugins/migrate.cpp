// Brings old state forward, badly.
#include "base.h"

namespace {

int32_t misbehave(Call &) {
    return APUS_OK;
}

int32_t migrate(const apus_migration *from, apus_writer *writer, apus_error *) {
#if defined(CRASHES)
    if (from->value.len != 8) *reinterpret_cast<volatile int *>(16) = 1;
#endif
    std::string value(reinterpret_cast<const char *>(from->value.data), from->value.len);
#if defined(IMPURE)
    static uint64_t calls = 0;
    value += std::to_string(calls++);
#endif
    return writer->write(writer, value.data(), value.size());
}

apus_state_decl any_forward = [] {
    apus_state_decl state = make_state("any", APUS_STATE_VALUE, 0);
    state.schema_version = 2;
    state.min_readable = 1;
    state.migrate = migrate;
    return state;
}();
const apus_state_decl *const states_forward[] = {&count_state, &fixed_state, &any_forward};

void add_migration() {
    component.states = states_forward;
    (void)&misbehave;
}
[[maybe_unused]] const bool is_changed = (add_migration(), true);

}  // namespace
