#!/usr/bin/env python3
"""Runs plugins that misbehave, one in each way that is known, and looks what the host does.

See docs/hostile.md.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import random
import re
import shutil
import signal
import sys
import tempfile
import threading
import time

import check_cases
import contract_cases
import control_cases
import data_cases
import file_cases
import load_cases
import memory_cases
import state_cases
import thread_cases
from rig import ROOT, Failure, Rig, Skipped, end_all

MODULES = [file_cases, load_cases, contract_cases, memory_cases, control_cases, data_cases,
           thread_cases, state_cases, check_cases]

# They wait for a time-out of a minute, and need no processor meanwhile.
SLOW = {"48-check-e47-loop"}


def all_cases():
    """All cases as (row of the table, name, body)."""
    for module in MODULES:
        for name, body in vars(module).items():
            match = re.fullmatch(r"row_(\d\d)_(\w+)", name)
            if match:
                yield int(match[1]), f"{match[1]}-{match[2].replace('_', '-')}", body


class Report:
    """Counts, and a line for each case."""

    def __init__(self, options):
        self.options = options
        self.counts = {"passed": 0, "failed": 0, "skipped": 0}
        self.cases = []
        self._lock = threading.Lock()

    def note(self, row, name, result, seconds, text=""):
        with self._lock:
            self.counts[result] += 1
            self.cases.append(
                {"row": row, "name": name, "result": result, "seconds": round(seconds, 2),
                 "reason": text})
            if self.options.json:
                return
            print(f"{result:8} {seconds:5.1f} s  {name}", flush=True)
            if result != "passed":
                print("    " + text.replace("\n", "\n    "), flush=True)
            if result == "failed":
                print(f"    again: python3 Tests/Hostile/hostile.py --seed {self.options.seed} "
                      f"--only '^{name}$' --keep", flush=True)

    def summary(self):
        counts = self.counts
        skipped = f", {counts['skipped']} skipped" if counts["skipped"] else ""
        return f"{counts['passed']} passed, {counts['failed']} failed{skipped}"


def run_case(rig, report, row, name, body):
    began = time.monotonic()

    def note(result, text=""):
        report.note(row, name, result, time.monotonic() - began, text)

    try:
        body(rig)
        note("passed")
    except Skipped as reason:
        note("skipped", str(reason))
    except Failure as failure:
        note("failed", str(failure))
    except KeyboardInterrupt:
        pass
    except Exception as error:  # A mistake of these tests is a failure, too.
        note("failed", f"{type(error).__name__}: {error}")


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--apus", default=str(ROOT / ".build" / "debug" / "apus"),
                        help="the program under test")
    parser.add_argument("--only", metavar="REGEX", help="cases whose name matches")
    parser.add_argument("--seed", type=int, help="repeats a run (default: a new one)")
    parser.add_argument("--jobs", type=int, default=2, help="cases at once")
    parser.add_argument("--list", action="store_true", help="print the names of the cases")
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    parser.add_argument("--keep", action="store_true", help="keep the temporary folders")
    parser.add_argument("--work", help="where temporary folders go")
    options = parser.parse_args()
    if options.seed is None:
        options.seed = random.SystemRandom().randrange(1_000_000)
    return options


def main():
    options = parse()
    pattern = re.compile(options.only) if options.only else None
    cases = [case for case in all_cases() if not pattern or pattern.search(case[1])]
    if options.list:
        for _, name, _ in cases:
            print(name)
        return 0
    if not pathlib.Path(options.apus).exists():
        print(f"{options.apus}: not there; build it with 'swift build'")
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    # A shell has background jobs ignore it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # The order shows what depends on it. What waits for a whole minute goes first.
    random.Random(options.seed).shuffle(cases)
    cases.sort(key=lambda case: case[1] not in SLOW)
    folder = tempfile.mkdtemp(prefix="apus-hostile-", dir=options.work)
    os.chmod(folder, 0o755)  # one case runs as another user
    report = Report(options)
    began = time.monotonic()
    try:
        if not options.json:
            print(f"seed {options.seed}, {len(cases)} cases")
        rig = Rig(options, folder)
        rig.good(), rig.input()
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            futures = [pool.submit(run_case, rig, report, *case) for case in cases]
            try:
                for future in futures:
                    future.result()
            except BaseException:
                end_all()
                pool.shutdown(wait=False, cancel_futures=True)
                raise
    finally:
        if options.keep:
            print(f"kept: {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    rows = len({case["row"] for case in report.cases if case["result"] == "passed"})
    if options.json:
        print(json.dumps({"seed": options.seed, **report.counts, "rows": rows,
                          "cases": sorted(report.cases, key=lambda case: case["name"])}, indent=2))
    else:
        print(f"{rows} of 73 rows in {time.monotonic() - began:.0f} s")
        print(report.summary())
    return 1 if report.counts["failed"] or not report.counts["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
