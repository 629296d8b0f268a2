#!/usr/bin/env python3
"""Compares the ABI with what was recorded, by means of libabigail: types as well as layout.

    python3 sdk/abi/baseline.py check      every version with the one before it, and the headers
                                           with the newest record
    python3 sdk/abi/baseline.py write      record the current headers: sdk/abi/baseline-0.N.abi
    python3 sdk/abi/baseline.py selftest   plant changes, and fail when one is not found

Needs abidw and abidiff (Debian: abigail-tools), and a C compiler. `make abi` does it all;
sdk/abi/compare.py finds most of it without them, in `make test`.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree

from compare import breaks
from headers import Macro
from plants import ALLOWED, FORBIDDEN, plant
from versions import CURRENT, RELEASED, ROOT, History, Version

FOLDER = ROOT / "sdk/abi"
# Bits of abidiff's exit code: 1 and 2 are errors of its own.
CHANGED, INCOMPATIBLE = 4, 8


def library(version):
    """A C file in which all structs, types of functions and constants occur."""
    lines = ['#include "apus/apus.h"', ""]
    for number, header in enumerate(version.headers):
        groups = {}
        for macro in header.of(Macro):
            found = version.layout.constants.get(macro.name)
            if found and isinstance(found[1], int) and macro.name not in VERSION_NUMBERS:
                groups.setdefault(macro.group, []).append((macro.name, found[1]))
        for index, group in enumerate(groups.values()):
            name = f"constants_{header.name[:-2]}_{index}"
            rows = ", ".join(f"C_{constant} = {value}" for constant, value in group)
            lines.append(f"enum {name} {{ {rows} }};")
            lines.append(f"void use_{name}(enum {name} *value) {{ (void)value; }}")
    for struct in sorted(version.layout.sizes):
        lines.append(f"void use_{struct}({struct} *value) {{ (void)value; }}")
    for header in version.headers:
        for function in header.items:
            if getattr(function, "kind", "") == "type":
                lines.append(f"void use_{function.name}({function.name} value) {{ (void)value; }}")
    lines.append(
        "const apus_plugin *apus_plugin_v0(const apus_host *host, apus_error *error) {\n"
        "    (void)host, (void)error;\n    return 0;\n}"
    )
    return "\n".join(lines) + "\n"


VERSION_NUMBERS = {"APUS_ABI_MAJOR", "APUS_ABI_MINOR", "APUS_SDK_VERSION", "APUS_NO_TIME"}


def record(folder, to):
    """Writes what libabigail sees of the headers in a folder."""
    version = Version(Path(folder))
    with tempfile.TemporaryDirectory() as place:
        source, binary = Path(place, "abi.c"), Path(place, "libabi.so")
        source.write_text(library(version))
        compiler = os.environ.get("CC", "cc")
        subprocess.run(
            [compiler, "-std=c11", "-g", "-O0", "-shared", "-fPIC", "-I", str(folder),
             "-fdebug-prefix-map=" + place + "=.", str(source), "-o", str(binary)],
            check=True,
        )
        text = subprocess.run(
            ["abidw", "--no-corpus-path", "--no-comp-dir-path", "--no-show-locs",
             "--no-elf-needed", "--no-architecture", "--type-id-style", "hash", str(binary)],
            check=True, capture_output=True, text=True,
        ).stdout
    Path(to).write_text(text)
    return version


def suppressions(old, new, to):
    """Allows growth at the end, for the structs that have grown by that and nothing else.

    libabigail 2.2 takes a rule on insertions as fulfilled whatever else has changed in the struct,
    so a struct gets one only when compare.py has found its other fields as they were.
    """
    broken = {text.split(".")[0].split(" ")[0] for text in breaks(old, new)}
    lines = ["[suppress_type]", "  name = a name that nothing has", ""]
    for struct, size in old.layout.sizes.items():
        if new.layout.sizes.get(struct, 0) > size and struct not in broken:
            lines += ["[suppress_type]", f"  name = {struct}", "  type_kind = struct",
                      "  has_data_member_inserted_at = end", ""]
    Path(to).write_text("\n".join(lines))


def whole(path):
    """A record, which must be one: abidiff takes what it cannot read for one without types."""
    ElementTree.parse(path)
    return str(path)


def difference(old, old_record, new, new_record):
    """What abidiff says, or nothing when the new ABI serves what was built for the old one."""
    with tempfile.TemporaryDirectory() as place:
        suppressed = Path(place, "growth.suppr")
        suppressions(old, new, suppressed)
        done = subprocess.run(
            ["abidiff", "--suppressions", str(suppressed), "--no-added-syms",
             whole(old_record), whole(new_record)],
            capture_output=True, text=True, check=False,
        )
    if done.returncode & ~(CHANGED | INCOMPATIBLE):
        sys.exit(f"abidiff failed with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout if done.returncode else ""


def baseline(minor):
    return FOLDER / f"baseline-0.{minor}.abi"


def check():
    failed = False
    versions = History().versions
    for old, new in zip(versions, versions[1:]):
        found = difference(old, baseline(old.minor), new, baseline(new.minor))
        if found:
            failed = True
            print(f"{new.name} breaks plugins of {old.name}:\n{found}", file=sys.stderr)
    newest = versions[-1]
    with tempfile.TemporaryDirectory() as place:
        now = Path(place, "now.abi")
        record(CURRENT, now)
        # No growth either: the record is to be what the headers are.
        found = difference(newest, baseline(newest.minor), newest, now)
    if found:
        failed = True
        print(f"the headers are not the recorded {newest.name}:\n{found}"
              "if plugins that are built already can bear it: make abi-baseline", file=sys.stderr)
    if failed:
        sys.exit(1)
    names = ", ".join(version.name for version in versions)
    print(f"abi: {names}: no version breaks plugins of the one before it")


def write():
    for version in History().versions:
        path = baseline(version.minor)
        if version.minor not in RELEASED or not path.exists():
            record(version.folder, path)
            print(f"wrote {path.relative_to(ROOT)}")


def selftest():
    """Plants changes in copies of the headers: those that break plugins must be found."""
    wrong = 0
    with tempfile.TemporaryDirectory() as place:
        before = Path(place, "before.abi")
        old = record(CURRENT, before)
        for number, change in enumerate(FORBIDDEN + ALLOWED):
            folder, after = Path(place, f"headers{number}"), Path(place, f"{number}.abi")
            plant(change, CURRENT, folder)
            new = record(folder, after)
            found = difference(old, before, new, after)
            if bool(found) != (change in FORBIDDEN):
                wrong += 1
                print(f"selftest: {change.name}: {found or 'not found'}", file=sys.stderr)
    if wrong:
        sys.exit(1)
    print(f"abi: {len(FORBIDDEN)} planted changes found, {len(ALLOWED)} allowed ones accepted")


def main():
    actions = {"check": check, "write": write, "selftest": selftest}
    if len(sys.argv) != 2 or sys.argv[1] not in actions:
        sys.exit(__doc__)
    for tool in ("abidw", "abidiff"):
        if not shutil.which(tool):
            sys.exit(f"abi: no {tool}; on Debian: dev/setup --with-abigail")
    actions[sys.argv[1]]()


if __name__ == "__main__":
    main()
