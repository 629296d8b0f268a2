"""Jobs that are killed at every step of a swap, and go on: nothing lost, nothing doubled.

Names: failpoint, how the job and its swap are, and whether a checkpoint is under way at the cut.
"""

import contextlib
import re
import signal
import time

from bench import Bench
from change_cases import expect
from rig import ROOT, Failure, Skipped

# Which swap comes by a failpoint.
FORWARD = ("S1", "S3", "S6", "S7", "S10", "S11", "S12", "S13", "M2", "M3", "M6")
GUARDED = ("S5",)
BACK = ("B1", "B4", "B5", "B6")
FLIP = ("B3",)
# Those that one case of `make test` is about.
QUICK = {("S6", "code"), ("S11", "schema"), ("M3", "schema"), ("B4", "schema")}
# How often a case tries to kill a job in the middle of a checkpoint, which takes some milliseconds.
TRIES = 5
# The version that is swapped to: its name, what its lines say, its schema.
VERSIONS = {"code": ("v1-code", 11, 1), "schema": ("v2", 20, 2)}


def failpoints():
    source = (ROOT / "Sources" / "ApusCore" / "Failpoint.swift").read_text()
    return [point for point in re.findall(r'^    case \w+ = "([^"]+)"', source, re.M)
            if point[0] in "SBM"]


def more_cases():
    for point in failpoints():
        for kind in VERSIONS:
            if point[0] == "M" and kind == "code":
                continue
            for is_busy in (False, True):
                for cut in ("boundary", "barrier"):
                    if cut == "boundary" and point in GUARDED + BACK:
                        continue
                    name = f"kill-{point}-{kind}-{cut}" + ("-in-checkpoint" if is_busy else "")
                    is_quick = (point, kind) in QUICK and is_busy and cut == "barrier"
                    yield name, is_quick, _body(point, kind, cut, is_busy)
    for index in range(20):
        yield f"kill-at-random-{index}", index == 0, _random_body(index)


def _body(point, kind, cut, is_busy):
    def body(rig, rng):
        for _ in range(TRIES if is_busy else 1):
            if _kill_and_go_on(rig, rng, point, kind, cut, is_busy) or not is_busy:
                return
        raise Skipped(f"killed {TRIES} times, and never while a checkpoint was under way")
    return body


def _kill_and_go_on(rig, rng, point, kind, cut, is_busy):
    """Returns whether the kill came while a checkpoint was under way."""
    version, code, schema = VERSIONS[kind]
    occurrence = rng.choice([1, 2, 3]) if point in ("M2", "M3") else 1
    # Few checkpoints, so that none is under way unless it is asked for.
    bench = Bench(rig, interval="100ms" if is_busy else "400ms",
                  rate=0 if point in FLIP else 1500)
    bench.start(failpoint=f"{point}@{occurrence}").until_working()
    with bench.asking_for_checkpoints() if is_busy else contextlib.nullcontext():
        _swap(bench, point, version, cut)
        result = bench.running.wait(8)
    if result.status is None:
        raise Skipped(f"does not come by {point}")
    if result.status != -signal.SIGKILL:
        raise Failure(f"expected SIGKILL at {point}, it {result.how}\n{result.tail}")
    was_busy = bench.was_in_checkpoint()
    bench.check_part([10, code])
    _go_on(bench, rng, code, schema)
    return was_busy


def _swap(bench, point, version, cut):
    options = ["--cut", cut]
    if point in GUARDED + BACK + FLIP:
        options += ["--guard", "20s", "--detach"]
    elif cut == "barrier" and point not in ("M2", "M3", "M6"):
        options += ["--guard", "600ms"]
    # The killed job is what ends it.
    swap = bench.rig.start(bench.folder, "swap", "run", *bench.where(), "subject", "--to",
                           bench.rig.version(version), *options)
    if point in BACK + FLIP:
        swap.wait()
        if bench.is_running():
            time.sleep(0.3)
            bench.ask("swap", "rollback", *bench.where())
        return


def _go_on(bench, rng, code, schema):
    """The next process: killed once more at times, then to the end, with the right version."""
    if rng.random() < 0.4:
        bench.start(feed=False)
        time.sleep(rng.uniform(0, 0.6))
        bench.kill()
        bench.check_part([10, code])
    bench.start(feed=False)
    bench.until("it answers", lambda: bench.ask("job", "status", *bench.where()).status == 0)
    history = bench.history_or_none()
    expect(len(history) <= 1, "one swap at most", history)
    outcome = history[-1]["outcome"] if history else "abandoned"
    expect(outcome in ("committed", "rolled-back", "abandoned"), "a decided swap", outcome)
    is_new = outcome == "committed"
    time.sleep(0.3)
    bench.finish([10, code] if is_new else [10], schema if is_new else 1,
                 older=(1,) if is_new else ())


def _random_body(index):
    def body(rig, rng):
        """Swaps come one after the other, and so do kills."""
        bench = Bench(rig, keys=1999, rate=1200)
        order, schema = [10], 1
        wanted = ["v1-code", "v2", "v3"]
        codes = {"v1-code": (11, 1), "v2": (20, 2), "v3": (30, 3)}
        bench.start().until_working()
        for version in wanted:
            options = ["--cut", rng.choice(("boundary", "barrier"))]
            if rng.random() < 0.5:
                options += ["--guard", f"{rng.randrange(100, 700)}ms"]
            before = len(bench.history_or_none())
            swap = rig.start(bench.folder, "swap", "run", *bench.where(), "subject", "--to",
                             rig.version(version), *options)
            time.sleep(rng.uniform(0, 0.9))
            bench.kill()
            swap.wait()
            bench.check_part(order + [codes[version][0]])
            bench.start(feed=False)
            bench.until("it answers",
                        lambda: bench.ask("job", "status", *bench.where()).status == 0)
            history = bench.history_or_none()
            if len(history) > before and history[-1]["outcome"] == "committed":
                order.append(codes[version][0])
                schema = codes[version][1]
            elif options[1] == "boundary":
                # Nothing was held back: what a version on probation has written stays, when the
                # one before can go on from it.
                order += [codes[version][0], order[-1]]
            time.sleep(rng.uniform(0, 0.3))
        bench.finish(order, schema, older=tuple(range(1, schema)))
    return body
