#!/usr/bin/env python3
"""The three sample operators do the same in every language, and what the oracle says.

    conformance.py --apus APUS [--seed N] [--lines N] LANGUAGE=LIBRARY...

Runs samples/operators/job.yaml with each library, at several parallelisms, on lines that are made
from a printed seed.  All output must be the same, sorted, byte by byte: that of all libraries, and
that of samples/operators/oracle.py, which shares no code with Apus.
"""

import argparse
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "samples" / "operators"
OUTPUTS = ["large.csv", "sessions.csv", "late.csv", "new.csv", "duplicates.csv"]
PARALLELISMS = [1, 2, 4]
GAP_MS, DISORDER_MS = 30_000, 9_500


def make_lines(seed, count):
    """Lines whose disorder is within what the job allows, but for those that are late by a gap."""
    choose = random.Random(seed)
    now, newest, lines = 1_760_000_000_000, {}, ["user,at,id,amount"]
    for number in range(count):
        now += choose.randrange(0, 400)
        # A window of users that moves on, so that each falls silent in the end.
        user = f"user {number // 400 + choose.randrange(12)}"
        if choose.random() < 0.2:
            user += " with a long name"
        at, id_ = now, f"i{choose.randrange(40)}"
        chance = choose.random()
        if chance < 0.3:
            at = now - choose.randrange(DISORDER_MS)
        elif chance < 0.33 and user in newest:
            # Late by more than the gap; the id is new, as ids may be forgotten by then.
            at, id_ = newest[user] - GAP_MS - 1 - choose.randrange(100_000), f"late {number}"
        amount = choose.choice([str(choose.randrange(-20, 120))] * 97 + ["x", "", "1" * 16])
        if choose.random() < 0.005:
            user = ""
        if choose.random() < 0.005:
            id_ = ""
        if at > newest.get(user, 0):
            newest[user] = at
        lines.append(f"{user},{at},{id_},{amount}")
    return lines


def sorted_lines(path):
    return sorted(path.read_text("utf-8").splitlines(keepends=True))


def rejected_lines(path):
    """(node, reason, line) of each dead letter."""
    letters = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return sorted((letter["node"], letter["reason"], letter["value"]) for letter in letters)


def run(apus, library, lines, folder, parallelism):
    folder.mkdir()
    environment = dict(os.environ, PLUGIN=str(library), LINES=str(lines), OUT=str(folder))
    done = subprocess.run(
        [apus, "run", str(SAMPLE / "job.yaml"), "--parallelism", str(parallelism)],
        env=environment, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode != 0:
        sys.exit(f"conformance: {library}: apus run ended with {done.returncode}\n{done.stderr}")
    found = {name: sorted_lines(folder / name) for name in OUTPUTS}
    found["rejected"] = rejected_lines(folder / "rejected.jsonl")
    return found


def expect_same(what, found, expected):
    for name, rows in expected.items():
        if found[name] == rows:
            continue
        missing = [row for row in rows if row not in set(found[name])][:5]
        extra = [row for row in found[name] if row not in set(rows)][:5]
        sys.exit(f"conformance: {what}: {name} has {len(found[name])} lines, expected {len(rows)}"
                 f"\nmissing: {missing}\ntoo much: {extra}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--apus", required=True)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**9))
    parser.add_argument("--lines", type=int, default=20_000)
    parser.add_argument("libraries", nargs="+", metavar="LANGUAGE=LIBRARY")
    options = parser.parse_args()
    print(f"conformance: seed {options.seed}", flush=True)
    apus = str(pathlib.Path(options.apus).resolve())
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        lines = folder / "lines.csv"
        lines.write_text("\n".join(make_lines(options.seed, options.lines)) + "\n", "utf-8")
        subprocess.run(
            [sys.executable, str(SAMPLE / "oracle.py"), str(lines), str(folder / "oracle")],
            check=True)
        expected = {name: sorted_lines(folder / "oracle" / name) for name in OUTPUTS}
        oracle = json.loads((folder / "oracle" / "rejected.json").read_text("utf-8"))
        if min(map(len, expected.values())) == 0 or not oracle:
            sys.exit("conformance: the lines leave an output empty, so this would prove nothing")
        rejected = None
        for language, library in (entry.split("=", 1) for entry in options.libraries):
            library = pathlib.Path(library).resolve()
            for parallelism in PARALLELISMS:
                what = f"{language}, parallelism {parallelism}"
                found = run(apus, library, lines, folder / f"{language}-{parallelism}", parallelism)
                expect_same(what, found, expected)
                # The host's own reasons are not the oracle's business.
                known = sorted([node, line] for node, _, line in found["rejected"])
                if known != sorted([node, line] for node, _, line in oracle):
                    sys.exit(f"conformance: {what}: other records were rejected than by the oracle")
                reasons = {(node, reason) for node, reason, _ in found["rejected"]}
                lacking = {(n, r) for n, r, _ in oracle if r} - reasons
                if lacking:
                    sys.exit(f"conformance: {what}: no record was rejected with {lacking}")
                if rejected not in (None, found["rejected"]):
                    sys.exit(f"conformance: {what}: other reasons than in the first language")
                rejected = found["rejected"]
                counts = ", ".join(f"{len(found[name])} {name[:-4]}" for name in OUTPUTS)
                print(f"conformance: {what}: {counts}, {len(rejected)} rejected", flush=True)
    print("conformance: all the same")


if __name__ == "__main__":
    main()
