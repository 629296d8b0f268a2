#!/usr/bin/env python3
"""Compares two layouts of the ABI: what a plugin relies on must still be where it was.

    python3 sdk/abi/compare.py OLD NEW     two files like sdk/abi/layout.txt

Every field of the old layout must be in the new one, at its offset and with its size. A struct may
grow at its end; a field that is itself such a struct may not, because what follows would move.
"""

import sys
from pathlib import Path

import layout
from headers import Function, Macro

# Structs whose size is part of the contract: elements of arrays, fields of other structs, what the
# plugin or the host copies as a whole, and what lies in files and in state.
NEVER_GROW = {
    "apus_str", "apus_bytes", "apus_view", "apus_view_reference", "apus_entry", "apus_mark",
    "apus_cursor", "apus_result", "apus_split", "apus_frame", "apus_note", "apus_elf_note",
    "apus_error",
    "apus_count", "apus_sum_i64", "apus_sum_f64", "apus_extreme_i64", "apus_extreme_f64",
    "apus_average_i64", "apus_average_f64",
}


def problems(old, new):
    """What the new places break of the old ones, as sentences."""
    found = []
    for (struct, field), (at, size) in sorted(old.items()):
        now = new.get((struct, field))
        if field == ".":
            if now is None:
                found.append(f"{struct} is gone")
            elif now[1] < size:
                found.append(f"{struct} has shrunk from {size} to {now[1]} bytes")
            elif now[1] > size and struct in NEVER_GROW:
                found.append(f"{struct} may not grow, but has, from {size} to {now[1]} bytes")
        elif now is None:
            if (struct, ".") in new:
                found.append(f"{struct}.{field} is gone")
        elif now != (at, size):
            found.append(
                f"{struct}.{field} was {size} bytes at {at}, is {now[1]} bytes at {now[0]}"
            )
    for (struct, field), (at, _) in sorted(new.items()):
        end = old.get((struct, "."), (0, 0))[1]
        if field != "." and (struct, field) not in old and at < end:
            if not inside_union(struct, field, old):
                found.append(f"{struct}.{field} is new, at {at}, inside the old {end} bytes")
    return found


def inside_union(struct, field, old):
    """Whether a field is another name for bytes of a union that was there."""
    return "." in field and (struct, field.split(".")[0]) in old


def ungated(version):
    """Structs that could grow, though nobody could tell: without `size`, or inside others."""
    inside = {
        field.type.base
        for struct in version.structs
        for _, field in layout.struct_fields(struct)
        if field.type and not field.type.pointers
    }
    for struct in version.structs:
        has_size = struct.fields[0].name == "size"
        if struct.name not in NEVER_GROW and (not has_size or struct.name in inside):
            why = "lies in another one" if has_size else "does not begin with `size`"
            yield f"{struct.name} {why}: add it to NEVER_GROW in compare.py"
    for name in sorted(NEVER_GROW - {struct.name for struct in version.structs}):
        yield f"NEVER_GROW in compare.py has {name}, which is not there"


def breaks(old, new):
    """What a version breaks of an older one: places, types, thread tags and constants."""
    places = [layout.read_text(version.layout.text()) for version in (old, new)]
    return problems(*places) + list(changed_types(old, new)) + list(changed_constants(old, new))


def history_problems(history):
    """What one version breaks of the one before it."""
    pairs = zip(history.versions, history.versions[1:])
    return [
        f"{new.name} breaks {old.name}: {text}" for old, new in pairs for text in breaks(old, new)
    ]


def written(item):
    """The type of a field or function, in C."""
    if item.parameters is None:
        return item.type.text() if item.type else "union"
    return f"{item.result.text()} ({', '.join(each.type.text() for each in item.parameters)})"


def types(version):
    """The type and the thread tag of every field and function, by name; inline ones apart."""
    found = {}
    for header in version.headers:
        for item in header.of(Function):
            if item.kind != "inline":
                found[item.name] = (written(item), item.tag)
    for struct in version.structs:
        for path, field in layout.struct_fields(struct):
            tag = field.tag if field.is_function else None
            found[f"{struct.name}.{path}"] = (written(field), tag)
    return found


def changed_types(old, new):
    """Fields and functions that have another type or another thread tag."""
    now = types(new)
    for name, (type, tag) in types(old).items():
        now_type, now_tag = now.get(name, (type, tag))
        if now_type != type:
            yield f"{name} was {type}, is {now_type}"
        if tag and now_tag != tag:
            yield f"{name} was [{tag}], is [{now_tag}]"


def changed_constants(old, new):
    """Constants that have gone, have another value, or one that another of their group has."""
    versions = {"APUS_ABI_MINOR", "APUS_SDK_VERSION"}
    for name, (_, value) in old.layout.constants.items():
        now = new.layout.constants.get(name, (None, None))[1]
        if name not in versions and now != value:
            yield f"{name} was {value}, is {now if now is not None else 'gone'}"
    groups = {}
    for header in new.headers:
        for macro in header.of(Macro):
            value = new.layout.constants.get(macro.name, (None, None))[1]
            if macro.group and value is not None and macro.name not in versions:
                names = groups.setdefault((header.name, macro.group, value), [])
                names.append(macro.name)
    for (_, group, value), names in groups.items():
        if len(names) > 1:
            yield f"{' and '.join(names)} are both {value} ({group.splitlines()[0]})"


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    old, new = (layout.read_text(Path(path).read_text()) for path in sys.argv[1:])
    found = problems(old, new)
    for text in found:
        print(text)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
