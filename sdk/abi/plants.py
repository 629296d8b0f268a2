"""Changes of the headers for self-tests: those that break plugins, and those that do not."""

import shutil
from dataclasses import dataclass


@dataclass(frozen=True)
class Change:
    name: str
    header: str
    old: str
    new: str


FORBIDDEN = [
    Change("a field in the middle", "batch.h", "    uint32_t input;  ",
           "    uint32_t planted;\n    uint32_t planted_too;\n    uint32_t input;  "),
    Change("a field is gone", "context.h", "    int64_t now_us;    ", "    //"),
    Change("a field with another type of the same size", "async.h",
           "    int64_t ts;         //", "    uint64_t ts;         //"),
    Change("a wider field", "timer.h", "    uint32_t domain;          // of",
           "    uint64_t domain;          // of"),
    Change("two fields have changed places", "batch.h",
           "    uint32_t size;\n    uint32_t count; ",
           "    uint32_t count;\n    uint32_t size; "),
    Change("a parameter of another type", "state.h",
           "(*counter_get)(apus_ctx *, uint32_t slot, uint32_t rec, int64_t *sum)",
           "(*counter_get)(apus_ctx *, uint32_t slot, uint64_t rec, int64_t *sum)"),
    Change("a parameter more", "host.h", "const char *text, uint64_t len);",
           "const char *text, uint64_t len, uint32_t planted);"),
    Change("another result", "component.h", "void (*destroy)(void *self);",
           "int32_t (*destroy)(void *self);"),
    Change("a struct grows that never does", "async.h",
           "    uint32_t port;      // the output, as an index in ctx->outs\n"
           "    uint32_t reserved;\n",
           "    uint32_t port;      // the output, as an index in ctx->outs\n"
           "    uint32_t reserved;\n    uint64_t planted;\n"),
    Change("a constant with another value", "abi.h", "#define APUS_STALE (-5)",
           "#define APUS_STALE (-15)"),
    Change("the value of a constant used again", "abi.h", "#define APUS_STALE (-5) ",
           "#define APUS_PLANTED (-5)\n#define APUS_STALE (-25) "),
]

ALLOWED = [
    Change("a field at the end", "context.h",
           "    uint32_t histogram_count;\n    uint32_t reserved_03;\n",
           "    uint32_t histogram_count;\n    uint32_t reserved_03;\n"
           "    uint64_t planted;  // Since 0.4.\n"),
    Change("a function at the end", "timer.h", "uint32_t timer, uint64_t id, uint32_t rec);\n",
           "uint32_t timer, uint64_t id, uint32_t rec);\n"
           "    // Since 0.4. [op]\n    int32_t (*planted)(apus_ctx *);\n"),
    Change("a new code", "abi.h", "#define APUS_TIMED_OUT (-11)",
           "#define APUS_PLANTED (-12)\n#define APUS_TIMED_OUT (-11)"),
    Change("a new struct", "timer.h", "typedef struct apus_timer_api {",
           "typedef struct apus_planted {\n    uint32_t size;\n} apus_planted;\n\n"
           "typedef struct apus_timer_api {"),
]


def plant(change, source, folder):
    """Copies headers to a folder, with a change in them."""
    shutil.copytree(source, folder)
    path = folder / "apus" / change.header
    text = path.read_text()
    if text.count(change.old) != 1:
        raise ValueError(f"{change.name}: {change.header} has {text.count(change.old)} places")
    path.write_text(text.replace(change.old, change.new))
