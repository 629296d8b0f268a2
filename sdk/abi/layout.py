"""Asks the C compiler where the fields of the ABI's structs lie, and what its constants are."""

import os
import re
import subprocess
import tempfile
from pathlib import Path

from headers import Macro, Struct

# Macros that are not constants: marks for the compiler, and what stands for a name.
NOT_CONSTANTS = {"APUS_EXTERN_C", "APUS_EXPORT", "APUS_ENTRY", "APUS_LAYOUT_ID"}

PROGRAM = """
#define _GNU_SOURCE
#include <stdio.h>
#include "apus/apus.h"
#define KIND(x) _Generic((x), char *: "text", const char *: "text", int: "int32_t", \\
    unsigned: "uint32_t", long: "int64_t", unsigned long: "uint64_t", long long: "int64_t", \\
    unsigned long long: "uint64_t")
static inline void text(const char *name, const char *kind, const char *value) {
    printf("constant\\t%s\\t%s\\t%s\\n", name, kind, value);
}
static inline void number(const char *name, const char *kind, long long value) {
    printf("constant\\t%s\\t%s\\t%lld\\n", name, kind, value);
}
#define SHOW(name) _Generic((name), char *: text, const char *: text, default: number) \\
    (#name, KIND(name), name)
int main(void) {
@BODY@
    return 0;
}
"""


def struct_fields(struct):
    """The fields of a struct as (path, field): members of a union under the union's name."""
    for field in struct.fields:
        yield field.name, field
        for member in field.members or []:
            yield f"{field.name}.{member.name}", member


def constants(headers):
    return [
        item
        for header in headers
        for item in header.of(Macro)
        if item.parameters is None and item.name not in NOT_CONSTANTS
    ]


def run(folder, headers):
    """Compiles and runs a program that prints all of it; its lines, split."""
    body = []
    for header in headers:
        for struct in header.of(Struct):
            name = struct.name
            body.append(
                f'    printf("struct\\t{name}\\t%zu\\t%zu\\n", sizeof({name}), _Alignof({name}));'
            )
            for path, _ in struct_fields(struct):
                body.append(
                    f'    printf("field\\t{name}\\t{path}\\t%zu\\t%zu\\n", '
                    f"offsetof({name}, {path}), sizeof((({name} *)0)->{path}));"
                )
    for macro in constants(headers):
        body.append(f"    SHOW({macro.name});")
    with tempfile.TemporaryDirectory() as place:
        source, program = Path(place, "probe.c"), Path(place, "probe")
        source.write_text(PROGRAM.replace("@BODY@", "\n".join(body)))
        compiler = os.environ.get("CC", "cc")
        subprocess.run(
            [compiler, "-std=c11", "-I", str(folder), "-Wno-incompatible-pointer-types",
             "-Wno-int-conversion", str(source), "-o", str(program)],
            check=True,
        )
        output = subprocess.run([str(program)], check=True, capture_output=True, text=True).stdout
    return [line.split("\t") for line in output.splitlines()]


class Layout:
    """Sizes, offsets and constants of one version of the headers."""

    def __init__(self, folder, headers):
        self.sizes, self.alignments, self.places, self.constants = {}, {}, {}, {}
        for line in run(folder, headers):
            if line[0] == "struct":
                self.sizes[line[1]] = int(line[2])
                self.alignments[line[1]] = int(line[3])
            elif line[0] == "field":
                self.places[line[1], line[2]] = (int(line[3]), int(line[4]))
            else:
                value = line[3] if line[2] == "text" else int(line[3])
                self.constants[line[1]] = (line[2], value)

    def text(self):
        """The canonical list, sorted: a struct as field `.`, members of a union by their path."""
        rows = [(name, ".", 0, size) for name, size in self.sizes.items()]
        rows += [(*key, *place) for key, place in self.places.items()]
        rows.sort(key=lambda row: (row[0], row[1] != ".", row[2], row[1]))
        return "".join(f"{name} {path} {at} {size}\n" for name, path, at, size in rows)


def read_text(text):
    """The places of a canonical list, as (struct, field): (offset, size)."""
    found = {}
    for number, line in enumerate(text.splitlines(), 1):
        match = re.fullmatch(r"(\w+) (\.|[\w.]+) (\d+) (\d+)", line)
        if not match:
            raise ValueError(f"line {number} is not `struct field offset size`: {line}")
        found[match.group(1), match.group(2)] = (int(match.group(3)), int(match.group(4)))
    return found
