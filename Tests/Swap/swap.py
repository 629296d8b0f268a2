#!/usr/bin/env python3
"""Swaps operators of running jobs, well and badly, and looks whether anybody could notice.

See docs/swap.md, "Failure cases".
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

import bench
import broken_cases
import change_cases
import graph_cases
import guard_cases
import kill_cases
import kinds_cases
import several_cases
import shadow_cases

from rig import ROOT, Failure, Skipped, end_all

MODULES = [change_cases, guard_cases, broken_cases, kinds_cases, several_cases, shadow_cases,
           graph_cases, kill_cases]


def all_cases():
    """All cases as (name, whether it is one of the quick ones, body)."""
    for module in MODULES:
        for name, body in vars(module).items():
            if name.startswith("case_"):
                yield name[5:].replace("_", "-"), getattr(body, "is_quick", False), body
        if hasattr(module, "more_cases"):
            yield from module.more_cases()


class Report:
    """Counts, and a line for each case."""

    def __init__(self, options):
        self.options = options
        self.counts = {"passed": 0, "failed": 0, "skipped": 0}
        self.cases = []
        self._lock = threading.Lock()

    def note(self, name, result, seconds, text=""):
        with self._lock:
            self.counts[result] += 1
            self.cases.append({"name": name, "result": result, "seconds": round(seconds, 2),
                               "reason": text})
            if self.options.json:
                return
            print(f"{result:8} {seconds:5.1f} s  {name}", flush=True)
            if result != "passed":
                print("    " + text.replace("\n", "\n    "), flush=True)
            if result == "failed":
                print(f"    again: python3 Tests/Swap/swap.py --seed {self.options.seed} "
                      f"--only '^{name}$' --keep", flush=True)

    def summary(self):
        counts = self.counts
        skipped = f", {counts['skipped']} skipped" if counts["skipped"] else ""
        return f"{counts['passed']} passed, {counts['failed']} failed{skipped}"


def run_case(rig, report, name, body):
    began = time.monotonic()

    def note(result, text=""):
        report.note(name, result, time.monotonic() - began, text)

    try:
        body(rig, random.Random(f"{rig.seed} {name}"))
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
                        help="the program under test, a debug build")
    parser.add_argument("--only", metavar="REGEX", help="cases whose name matches")
    parser.add_argument("--quick", action="store_true", help="one case of each kind")
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


def chosen(options):
    pattern = re.compile(options.only) if options.only else None
    return [(name, body) for name, is_quick, body in all_cases()
            if (is_quick or not options.quick) and (not pattern or pattern.search(name))]


def run_all(options, cases, report):
    folder = tempfile.mkdtemp(prefix="apus-swap-", dir=options.work)
    try:
        rig = bench.SwapRig(options, folder)
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
        end_all()
        if options.keep:
            print(f"kept: {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder, ignore_errors=True)


def main():
    options = parse()
    cases = chosen(options)
    if options.list:
        for name, _ in cases:
            print(name)
        return 0
    if not pathlib.Path(options.apus).exists():
        print(f"{options.apus}: not there; build it with 'swift build'")
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    # A shell has background jobs ignore it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # The order shows what depends on it.
    random.Random(options.seed).shuffle(cases)
    report = Report(options)
    began = time.monotonic()
    if not options.json:
        print(f"seed {options.seed}, {len(cases)} cases")
    run_all(options, cases, report)
    if options.json:
        print(json.dumps({"seed": options.seed, **report.counts,
                          "cases": sorted(report.cases, key=lambda case: case["name"])}, indent=2))
    else:
        print(f"{time.monotonic() - began:.0f} s; {report.summary()}")
    return 1 if report.counts["failed"] or not report.counts["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
