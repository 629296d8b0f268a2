#!/usr/bin/env python3
"""What the three operators write, computed without Apus: one pass over the lines, then sorted.

    oracle.py LINES.csv FOLDER

It does not know of watermarks or timers: a session has ended when no line of its key is within
the gap, and an id is forgotten when it is older than its time to live.
"""

import json
import pathlib
import sys

GAP_US = 30_000_000
TTL_US = 60_000_000
MINIMUM = 50


def read(path):
    """The lines of a file, split; the header is left out."""
    with open(path, encoding="utf-8") as file:
        return [(line.rstrip("\n"), line.rstrip("\n").split(",")) for line in file][1:]


def whole_number(text):
    digits = text[1:] if text.startswith("-") else text
    if not 1 <= len(digits) <= 15 or not all(c in "0123456789" for c in digits):
        return None
    return int(text)


def large(lines, rejected):
    kept = []
    for line, fields in lines:
        amount = whole_number(fields[3])
        if amount is None:
            rejected.append(("large", "column 3 is not a whole number", line))
        elif amount >= MINIMUM:
            kept.append(line)
    return kept


def sessions(lines, rejected):
    ended, late, open_, newest, numbers = [], [], {}, {}, {}

    def end(user):
        first, last, items = open_.pop(user)
        numbers[user] = numbers.get(user, 0) + 1
        ended.append(f"{user},{numbers[user]},{first},{last},{'+'.join(items)}")

    for line, fields in lines:
        user, at = fields[0], int(fields[1]) * 1000
        if user == "":
            rejected.append(("sessions", None, line))
            continue
        latest = newest.get(user, at)
        if at < latest - GAP_US:
            late.append(line)
            continue
        if user in open_ and at > open_[user][1] + GAP_US:
            end(user)
        first, last, items = open_.get(user, (at, at, []))
        open_[user] = (min(first, at), max(last, at), items + [fields[-1]])
        newest[user] = max(latest, at)
    for user in list(open_):
        end(user)
    return ended, late


def dedup(lines, rejected):
    new, duplicates, seen = [], [], {}
    for line, fields in lines:
        user, at, id_ = fields[0], int(fields[1]) * 1000, fields[2]
        if user == "":
            rejected.append(("new", None, line))
        elif id_ == "":
            rejected.append(("new", "the record has no id", line))
        elif (user, id_) in seen and at < seen[user, id_] + TTL_US:
            duplicates.append(line)
        else:
            seen[user, id_] = at
            new.append(line)
    return new, duplicates


def main():
    lines = read(sys.argv[1])
    folder = pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    rejected = []
    results = {"large.csv": large(lines, rejected)}
    results["sessions.csv"], results["late.csv"] = sessions(lines, rejected)
    results["new.csv"], results["duplicates.csv"] = dedup(lines, rejected)
    for name, rows in results.items():
        (folder / name).write_text("".join(row + "\n" for row in sorted(rows)), "utf-8")
    with open(folder / "rejected.json", "w", encoding="utf-8") as file:
        json.dump(sorted(rejected, key=str), file)


if __name__ == "__main__":
    main()
