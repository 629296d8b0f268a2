#!/usr/bin/env python3
"""Describes the plugin ABI, and writes all files that are made from its headers.

    python3 sdk/abi/describe.py            write them
    python3 sdk/abi/describe.py --check    fail when one is not what the headers give

The headers in sdk/c/include/apus are the source; sdk/abi/README.md lists what is made from them.
"""

import argparse
import difflib
import sys

import compare
import emit_asserts
import emit_checks
import emit_description
import emit_docs
import emit_layout
import emit_rust
from headers import HeaderError
from versions import ROOT, History

EMITTERS = (emit_layout, emit_asserts, emit_checks, emit_description, emit_docs,
            emit_rust)


def files(history):
    """The text of every generated file, by its path from the root."""
    made = {}
    for emitter in EMITTERS:
        made.update(emitter.files(history))
    return made


def differences(path, text):
    """What differs between a file and what it should be; empty when nothing does."""
    file = ROOT / path
    found = file.read_text() if file.exists() else ""
    if found == text:
        return ""
    lines = difflib.unified_diff(
        found.splitlines(), text.splitlines(), f"{path} as it is", f"{path} from the headers",
        lineterm="", n=1,
    )
    return "\n".join(list(lines)[:20])


def check(made):
    wrong = 0
    for path, text in made.items():
        found = differences(path, text)
        if found:
            wrong += 1
            print(f"{path} is not what the headers give:\n{found}\n", file=sys.stderr)
    if wrong:
        print("run `make abi-generate`, look at the changes, commit them", file=sys.stderr)
    return wrong


def write(made):
    for path, text in made.items():
        if differences(path, text):
            (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
            (ROOT / path).write_text(text)
            print(f"wrote {path}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="change nothing; fail on a difference")
    options = parser.parse_args()
    try:
        history = History()
    except HeaderError as error:
        sys.exit(f"abi: {error}")
    problems = list(history.wrong_comments()) + compare.history_problems(history)
    problems += compare.ungated(history.current)
    for problem in problems:
        print(f"abi: {problem}", file=sys.stderr)
    if problems:
        sys.exit(1)
    made = files(history)
    if options.check:
        sys.exit(1 if check(made) else 0)
    write(made)


if __name__ == "__main__":
    main()
