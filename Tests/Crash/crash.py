#!/usr/bin/env python3
"""Breaks jobs in every way that is known, and looks whether their output is exact all the same.

See docs/crash-tests.md.  Needs a debug build: only that has failpoints.
"""

import argparse
import concurrent.futures
import hashlib
import itertools
import math
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

import damage_cases
import disk_cases
import kill_cases
import power_cases
import workloads
from compiler import shared_library
from bench import Bench
from process import Failure, NotReached, Skipped, SweepEnded, end_all


class Reference:
    """What an uninterrupted run comes to."""

    def __init__(self, world, workload):
        sink = "plugin" if isinstance(workload, workloads.Ends) else "file"
        bench = Bench(world, workload, random.Random(0), sink, parallelism=1)
        run = bench.run()
        if run.status != 0:
            raise Failure(f"an uninterrupted run failed\n{run.tail}")
        self.duration = run.duration
        self.digest = bench.state_digest()
        self.rejects = bench.reject_set()
        for name, found in bench.committed().items():
            bench._compare(name, found, is_whole=True)
        bench.remove()

    def compare(self, bench):
        """Compares the state and the rejected records of a job that has ended."""
        digest = bench.state_digest()
        if digest != self.digest:
            raise Failure(f"the state is not that of an uninterrupted run: {digest}, expected "
                          f"{self.digest}")
        if bench.workload.rejects and bench.workload.name != "followed-to-end":
            missing = self.rejects - bench.reject_set()
            if missing:
                raise Failure(f"{len(missing)} rejected records are lost, as {missing.pop()[:90]}")


class Sweep:
    """How many cases in a row of one sweep have found nothing to fail."""

    misses = 0


class World:
    """What cases share."""

    def __init__(self, options, folder):
        self.apus = pathlib.Path(options.apus).resolve()
        self.folder = pathlib.Path(folder)
        self.seed = options.seed
        self.stride = options.stride
        self.every_byte = options.every_byte
        self.mounts = set()
        self.cache = self.folder / "images"
        source = workloads.ROOT / "Sources" / "ApusCore" / "Failpoint.swift"
        # Those of checkpoints, delivery and recovery; swaps have theirs in tests of their own.
        self.failpoints = re.findall(r'^    case \w+ = "([CKX][^"]*)"', source.read_text(), re.M)
        self._lock = threading.RLock()
        self._count = itertools.count(1)
        self._workloads, self._references, self._originals = {}, {}, {}
        self._sweeps = {}
        self._shim = None
        kinds = {"tickets": (workloads.Tickets, 1200), "tickets-short": (workloads.Tickets, 700),
                 "tickets-long": (workloads.Tickets, 3000),
                 "unaligned": (workloads.Unaligned, 2000),
                 "small-memory": (workloads.SmallMemory, 1500),
                 "followed": (workloads.Followed, 1500),
                 "followed-to-end": (workloads.Tickets, 1500),
                 "ends": (workloads.Ends, 20_000),
                 "rules": (workloads.Rules, 9000), "rules-long": (workloads.Rules, 20_000)}
        self.scale = options.scale
        for name, (kind, size) in kinds.items():
            size *= self.scale or 1
            self._add(name, kind(self.apus, self.folder / "inputs" / name, self.seed, size))
        self._add("flights",
                  workloads.Flights(self.apus, self.folder / "inputs" / "flights", self.seed))

    def calibrated(self):
        """How much larger jobs must be so that several checkpoints are taken while they run."""
        duration = self.reference(self.workload("tickets")).duration
        # What is left of it without the start.
        return max(1, min(10, math.ceil(0.7 / max(0.1, duration - 0.2))))

    def _add(self, name, workload):
        workload.name = name
        self._workloads[name] = workload

    def new_folder(self):
        path = self.folder / f"case-{next(self._count)}"
        path.mkdir()
        return path

    def workload(self, name):
        return self._workloads[name]

    def reference(self, workload):
        if workload.follow_is_endless:
            workload = self.workload("followed-to-end")
            workload.prepare()
        with self._lock:
            if workload.name not in self._references:
                self._references[workload.name] = Reference(self, workload)
            return self._references[workload.name]

    def original(self, variant, copy=0):
        with self._lock:
            key = (variant, copy)
            if key not in self._originals:
                self._originals[key] = damage_cases.Original(self, random.Random(copy), variant)
            return self._originals[key]

    def sweep(self, key):
        return self._sweeps.setdefault(key, Sweep())

    def shim(self):
        with self._lock:
            if self._shim is None:
                source = pathlib.Path(__file__).with_name("faults.c")
                self._shim = shared_library(source, self.folder / "faults.so")
            return self._shim

    def exported_state(self, workload, checkpoints):
        """A digest of all values, entries and timers, whatever their order."""
        result = subprocess.run(
            [str(self.apus), "state", "export", "--checkpoint", str(checkpoints)],
            capture_output=True, timeout=60)
        if result.returncode != 0:
            raise Failure("apus state export: " + result.stderr.decode()[-300:])
        # The first line tells where the export is from, the last one how many lines there are;
        # "written" when a job of today wrote.
        lines = workload.comparable(result.stdout.splitlines()[1:-1])
        lines = sorted(re.sub(rb',"written":"[^"]*"', b"", line) for line in lines)
        return len(lines), hashlib.sha256(b"\n".join(lines)).hexdigest()[:16]

    def has_failpoints(self):
        environment = dict(os.environ, APUS_FAILPOINT="none")
        found = subprocess.run([str(self.apus), "job", "validate", "none.yaml"], env=environment,
                               capture_output=True)
        return b"names no failpoint" in found.stderr + found.stdout

    def clean_up(self):
        for path in list(self.mounts):
            subprocess.run(["umount", "-l", path], capture_output=True)
        shutil.rmtree(self.folder, ignore_errors=True)


def all_cases(world, options):
    """All cases of the chosen extent, as (name, body)."""
    is_quick = options.quick
    yield from kill_cases.failpoint_cases(world, is_quick)
    rounds = options.rounds or (6 if is_quick else 60)
    yield from kill_cases.random_cases(world, rounds, kills=3 if is_quick else 6)
    yield from kill_cases.end_cases(world, is_quick)
    yield from kill_cases.zombie_cases(world, 1 if is_quick else 8)
    yield from kill_cases.stop_cases(world, 1 if is_quick else 20)
    yield from disk_cases.fault_cases(world, is_quick)
    yield from disk_cases.full_disk_cases(world, is_quick)
    yield from disk_cases.read_only_cases(world, is_quick)
    yield from power_cases.power_cases(world, is_quick)
    yield from damage_cases.rewind_cases(world, 2 if is_quick else 20)
    if options.only and "damage" not in options.only:
        return  # Their names depend on a checkpoint, which has to be made first.
    damage = damage_cases.damage_cases(world, is_quick)
    if is_quick:
        every = list(damage)
        damage = random.Random(options.seed).sample(every, min(10, len(every)))
    yield from damage


def check_start(world):
    """Tells why no case can work, if so."""
    if not world.has_failpoints():
        return f"{world.apus}: expected a debug build, which has failpoints: swift build"
    try:
        world.reference(world.workload("tickets"))
    except (Failure, OSError, subprocess.SubprocessError) as problem:
        return f"a job does not even run when nothing goes wrong: {problem}"
    return None


class Report:
    """Counts, and what is printed while the cases run."""

    def __init__(self, options):
        self.options = options
        self.counts = {"passed": 0, "failed": 0, "not reached": 0, "skipped": 0}
        self.groups = {}
        self.points = {}
        self.skips = {}
        self.failures = []
        self.left_out = 0
        self._lock = threading.Lock()
        self._shown = time.monotonic()

    def note(self, name, result, text=""):
        with self._lock:
            self.counts[result] += 1
            group = name.split("/")[0]
            self.groups.setdefault(group, dict.fromkeys(self.counts, 0))[result] += 1
            if group == "failpoint":
                point = name.split("/")[1].split("@")[0]
                self.points[point] = self.points.get(point, False) or result != "not reached"
            if result == "skipped":
                self.skips[text] = self.skips.get(text, 0) + 1
            if result == "failed":
                self.failures.append((name, text))
                print(f"FAILED {name}\n    {text}\n    again: {self.again(name)}", flush=True)
            elif self.options.verbose:
                print(f"{result:12} {name}", flush=True)
            if time.monotonic() - self._shown > 10:
                self._shown = time.monotonic()
                print(f"... {self.summary()}; {name}", flush=True)

    def again(self, name):
        every = " --every-byte" if self.options.every_byte else ""
        return (f"python3 Tests/Crash/crash.py --seed {self.options.seed} --scale "
                f"{self.options.scale} --stride {self.options.stride}{every} --only '{name}$'")

    def summary(self):
        counts = self.counts
        more = "".join(f", {counts[name]} {name}" for name in ("not reached", "skipped")
                       if counts[name])
        return f"{counts['passed']} passed, {counts['failed']} failed{more}"

    def unreached(self):
        return sorted(point for point, is_reached in self.points.items() if not is_reached)


def run_case(world, options, report, name, body):
    rng = random.Random(f"{options.seed} {name}")
    before = time.monotonic()
    try:
        bench = body(rng)
        report.note(name, "passed")
        if bench is not None:
            bench.remove()
    except SweepEnded:
        pass
    except NotReached:
        report.note(name, "not reached")
    except Skipped as reason:
        report.note(name, "skipped", str(reason))
    except Failure as failure:
        report.note(name, "failed", str(failure))
    except KeyboardInterrupt:
        pass
    except Exception as error:  # A mistake of these tests is a failure, too.
        report.note(name, "failed", f"{type(error).__name__}: {error}")
    if options.times:
        print(f"{time.monotonic() - before:6.2f} s  {name}", flush=True)


def run_all(world, options, report):
    pattern = re.compile(options.only) if options.only else None
    cases = (case for case in all_cases(world, options)
             if pattern is None or pattern.search(case[0]))
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        pending = set()
        try:
            # Sweeps end when a case says so: not too many are taken in advance.
            for name, body in cases:
                if options.limit and time.monotonic() - options.began > options.limit:
                    report.left_out += 1
                    continue
                pending.add(pool.submit(run_case, world, options, report, name, body))
                if len(pending) >= options.jobs:
                    _, pending = concurrent.futures.wait(
                        pending, return_when=concurrent.futures.FIRST_COMPLETED)
            concurrent.futures.wait(pending)
        except BaseException:
            end_all()
            raise


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--apus", default=str(workloads.ROOT / ".build" / "debug" / "apus"),
                        help="the program, of a debug build")
    parser.add_argument("--quick", action="store_true", help="a sample of at most three minutes")
    parser.add_argument("--seed", type=int, help="repeats a run (default: a new one)")
    parser.add_argument("--jobs", type=int, default=2, help="cases at once")
    parser.add_argument("--only", metavar="PATTERN", help="cases whose name matches")
    parser.add_argument("--rounds", type=int, help="how many cases of random kills")
    parser.add_argument("--stride", type=int, default=1,
                        help="of disk faults and damages only each n-th")
    parser.add_argument("--every-byte", action="store_true",
                        help="flip every byte of the documents of a checkpoint, not a sample; that "
                             "takes hours, and DamageTests.swift does it within a process")
    parser.add_argument("--scale", type=int,
                        help="how large jobs are (default: as the machine is fast)")
    parser.add_argument("--limit", type=float, metavar="SECONDS",
                        help="begin no more cases after that (default for --quick: 150)")
    parser.add_argument("--work", help="where temporary folders go (default: memory)")
    parser.add_argument("--keep", action="store_true", help="keep the temporary folders")
    parser.add_argument("--list", action="store_true", help="print the names of the cases")
    parser.add_argument("--times", action="store_true", help="print how long each case took")
    parser.add_argument("--verbose", action="store_true", help="print every case")
    options = parser.parse_args()
    options.began = time.monotonic()
    if options.quick and options.limit is None:
        options.limit = 150
    if options.seed is None:
        options.seed = random.SystemRandom().randrange(1_000_000)
    return options


def temporary_folder(options):
    place = options.work
    shared = "/dev/shm"
    # A kill does not lose what the system has: memory is as good as a disk, and faster.
    if place is None and os.access(shared, os.W_OK):
        status = os.statvfs(shared)
        if status.f_bavail * status.f_frsize > 1 << 30:
            place = shared
    return tempfile.mkdtemp(prefix="apus-crash-", dir=place)


def main():
    options = parse()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    # A shell has background jobs ignore it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    folder = temporary_folder(options)
    world = World(options, folder)
    report = Report(options)
    status = 1
    try:
        if options.list:
            for name, _ in all_cases(world, options):
                print(name)
            return 0
        problem = check_start(world)
        if problem:
            print(problem)
            return 2
        if options.scale is None:
            options.scale = world.calibrated()
            if options.scale > 1:
                shutil.rmtree(folder)
                os.mkdir(folder)
                world = World(options, folder)
        print(f"seed {options.seed}, scale {options.scale}, {len(world.failpoints)} failpoints, "
              f"temporary folder {folder}", flush=True)
        run_all(world, options, report)
        status = conclude(report, options)
    except KeyboardInterrupt:
        print(f"broken off: {report.summary()}")
        status = 130
    finally:
        end_all()
        if options.keep:
            print(f"kept: {folder}")
        else:
            world.clean_up()
    return status


def conclude(report, options):
    print()
    for group, counts in report.groups.items():
        print(f"  {group:14}" + "".join(f"  {counts[key]:5} {key}" for key in counts))
    for reason, count in report.skips.items():
        print(f"  skipped {count}: {reason}")
    unreached = report.unreached()
    if unreached:
        print(f"  FAILED: no case reaches {', '.join(unreached)}")
    if report.left_out:
        print(f"  time is up: {report.left_out} cases were not begun")
    # Once more, all together: whoever sees the end of a long log sees what failed, and how.
    for name, text in report.failures:
        print(f"  FAILED {name}\n    {text}\n    again: {report.again(name)}")
    print(f"{report.summary()} in {time.monotonic() - options.began:.0f} s, seed {options.seed}, "
          f"scale {options.scale}")
    return 1 if report.failures or unreached else 0


if __name__ == "__main__":
    sys.exit(main())
