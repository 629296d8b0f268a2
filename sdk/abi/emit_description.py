"""Writes sdk/abi/apus-abi.json: the ABI for programs, such as generators of other languages."""

import json
import re

from emit_layout import layout_id
from headers import Function, Macro, Struct
from layout import NOT_CONSTANTS
from versions import MAJOR

BY = "make abi-generate (sdk/abi/emit_description.py); do not edit"


def version(minor):
    return f"{MAJOR}.{minor}"


def parameters(found):
    return [{"type": each.type.text(), "name": each.name} for each in found]


def field_entry(history, struct, field, path):
    layout = history.current.layout
    offset, size = layout.places[struct.name, path]
    entry = {"name": path}
    if field.is_function:
        entry["type"] = "function"
        entry["result"] = field.result.text()
        entry["parameters"] = parameters(field.parameters)
        entry["thread"] = field.tag
    elif field.members is not None:
        entry["type"] = "union"
        entry["members"] = [
            field_entry(history, struct, member, f"{path}.{member.name}")
            for member in field.members
        ]
    else:
        entry["type"] = field.type.text()
        if field.count:
            count = layout.constants.get(field.count, (None, field.count))[1]
            entry["count"] = int(count)
    entry["offset"] = offset
    entry["size"] = size
    entry["since"] = version(history.since_field(struct.name, path))
    entry["comment"] = field.comment
    return entry


def struct_entry(history, header, struct):
    layout = history.current.layout
    return {
        "name": struct.name,
        "header": header.name,
        "since": version(history.since_struct(struct.name)),
        "size": layout.sizes[struct.name],
        "alignment": layout.alignments[struct.name],
        "grows": any(field.name == "size" for field in struct.fields)
        and struct.name not in history.frozen,
        "comment": struct.comment,
        "fields": [field_entry(history, struct, field, field.name) for field in struct.fields],
    }


def function_entry(history, header, function):
    return {
        "name": function.name,
        "header": header.name,
        "kind": function.kind,
        "since": version(history.since_function(function.name)),
        "thread": function.tag or "any",
        "result": function.result.text(),
        "parameters": parameters(function.parameters),
        "comment": function.comment,
    }


def constant_entry(history, header, macro):
    type, value = history.current.layout.constants[macro.name]
    return {
        "name": macro.name,
        "header": header.name,
        "type": type,
        "value": value,
        "since": version(history.since_macro(macro.name)),
        "group": macro.group,
        "comment": macro.comment,
    }


def extension_entries(history):
    """The extensions: constants that are a name and a revision, and the structs they stand for."""
    structs = {struct.name for struct in history.current.structs}
    for name, (_, value) in history.current.layout.constants.items():
        if not isinstance(value, str) or not re.fullmatch(r"apus\.[a-z_0-9]+/\d+", value):
            continue
        of_host = name.lower() + "_api" in structs
        yield {
            "name": value,
            "constant": name,
            "of": "host" if of_host else "component",
            "struct": name.lower() + ("_api" if of_host else ""),
            "since": version(history.since_macro(name)),
        }


def describe(history):
    """The whole description, as values for JSON."""
    current = history.current
    pairs = [(header, item) for header in current.headers for item in header.items]
    constants = [
        constant_entry(history, header, item)
        for header, item in pairs
        if isinstance(item, Macro) and item.parameters is None and item.name not in NOT_CONSTANTS
    ]
    return {
        "generated-by": BY,
        "version": current.name,
        "layout-id": layout_id(current).hex(),
        "layouts": {each.name: layout_id(each).hex() for each in history.versions},
        "threads": {
            "ctl": "the control thread: never two calls at once for one plugin; may block briefly",
            "op": "the instance's thread: one call at a time; must not block",
            "any": "any thread, at any time",
            "pure": "any thread, several at once, no context and no calls to the host",
        },
        "headers": [
            {"name": header.name, "comment": header.comment} for header in current.headers
        ],
        "structs": [
            struct_entry(history, header, item) for header, item in pairs
            if isinstance(item, Struct)
        ],
        "functions": [
            function_entry(history, header, item) for header, item in pairs
            if isinstance(item, Function)
        ],
        "constants": constants,
        "extensions": list(extension_entries(history)),
        "macros": [
            {"name": item.name, "header": header.name, "comment": item.comment,
             "parameters": item.parameters}
            for header, item in pairs
            if isinstance(item, Macro) and item.parameters is not None
        ],
    }


def files(history):
    text = json.dumps(describe(history), indent=1, ensure_ascii=False)
    return {"sdk/abi/apus-abi.json": text + "\n"}
