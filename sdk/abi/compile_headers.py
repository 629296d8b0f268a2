#!/usr/bin/env python3
"""Compiles the headers alone, together and in reverse order, in every language and compiler.

    python3 sdk/abi/compile_headers.py

C11, C17, C++17 and C++20, with gcc and clang where they are there, all warnings as errors. No
struct has padding that is not written down as a field.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from versions import CURRENT

WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]
PADDED = ["-Wpadded"]
LANGUAGES = {
    "c11": (["gcc", "clang"], "c"),
    "c17": (["gcc", "clang"], "c"),
    "c++17": (["g++", "clang++"], "cpp"),
    "c++20": (["g++", "clang++"], "cpp"),
}
def sources(place):
    """A file for each header alone, one for all, one for all backwards."""
    names = sorted(path.name for path in CURRENT.glob("apus/*.h"))
    texts = {name[:-2]: f'#include "apus/{name}"\n' for name in names}
    # Twice, because a guard that is missing shows with the second one only.
    texts["twice"] = "".join(f'#include "apus/{name}"\n' for name in names + names)
    texts["backwards"] = "".join(f'#include "apus/{name}"\n' for name in reversed(names))
    texts["plugin"] = '#include "apus/apus.h"\nAPUS_PLUGIN_NOTE(APUS_LANGUAGE_C, 0);\n'
    for name, text in texts.items():
        for suffix in ("c", "cpp"):
            # C wants a declaration in every file, and layout.h has none.
            Path(place, f"{name}.{suffix}").write_text(text + "typedef int used;\n")
    return list(texts)


def compile(compiler, standard, files, extra=()):
    return subprocess.run(
        [compiler, f"-std={standard}", "-fsyntax-only", *WARNINGS, *extra, "-I", str(CURRENT),
         *files],
        capture_output=True, text=True, check=False,
    )


def finds_padding(place):
    """Whether the check for padding works at all: clang's does only where a struct is used."""
    path = Path(place, "padded.c")
    path.write_text("struct padded { int a; long b; };\n")
    return compile("gcc", "c11", [str(path)], PADDED).returncode != 0


def main():
    failed, count = 0, 0
    with tempfile.TemporaryDirectory() as place:
        names = sources(place)
        for standard, (compilers, suffix) in LANGUAGES.items():
            for compiler in filter(shutil.which, compilers):
                files = [str(Path(place, f"{name}.{suffix}")) for name in names]
                extra = PADDED if compiler in ("gcc", "g++") else []
                done = compile(compiler, standard, files, extra)
                count += len(files)
                if done.returncode:
                    failed += 1
                    print(f"{compiler} -std={standard}:\n{done.stderr}", file=sys.stderr)
        if shutil.which("gcc") and not finds_padding(place):
            failed += 1
            print("gcc -Wpadded does not find padding", file=sys.stderr)
    if failed or not count:
        sys.exit(1)
    print(f"abi: {count} compilations of the headers without a warning")


if __name__ == "__main__":
    main()
